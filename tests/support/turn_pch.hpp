// SPDX-License-Identifier: Apache-2.0
// What the tests of the TURN core include, parsed once for all of them.
#pragma once

#include <gmock/gmock.h>

#include "turn_script.hpp"
