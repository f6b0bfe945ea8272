// SPDX-License-Identifier: Apache-2.0
// What most unit tests outside the core include, parsed once for all of a program.
#pragma once

#include "../../cmake/io_pch.hpp"
#include "pch.hpp"
