// SPDX-License-Identifier: Apache-2.0
// What the command lines of the load clients have in common. All throw std::invalid_argument with a sentence.
#pragma once

#include <cstddef>
#include <string>

#include "load/workload.hpp"

namespace causeway::load {

[[noreturn]] void complain(const std::string& what);
std::size_t number(const std::string& text, std::size_t min, std::size_t max);
ServerUnderLoad server_of(const std::string& text);  // NAME,PID,ADDRESS,PORT[,KIND]

// Beyond the hard limit where this process may; throws std::runtime_error where it may not.
void raise_descriptor_limit(std::size_t sockets);

}  // namespace causeway::load
