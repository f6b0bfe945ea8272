// SPDX-License-Identifier: Apache-2.0
// What most unit tests include, parsed once for all of a program.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../cmake/core_pch.hpp"
