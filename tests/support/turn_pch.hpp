// SPDX-License-Identifier: Apache-2.0
// What most tests of the TURN core include, parsed once for all of them.
#pragma once

#include "pch.hpp"
#include "turn_script.hpp"
