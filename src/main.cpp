// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <string>
#include <vector>

#include "app/commands.hpp"

int main(int argc, char** argv) {
  return causeway::app::execute({argv + 1, argv + argc}, causeway::config::process_environment(), std::cout, std::cerr);
}
