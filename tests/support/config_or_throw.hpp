// SPDX-License-Identifier: Apache-2.0
// Lets a test write load(...).value(): what is wrong with the configuration becomes the failure's text.
#pragma once

#include <boost/assert/source_location.hpp>
#include <stdexcept>
#include <string>

#include "config/finding.hpp"

namespace causeway::config {

[[noreturn]] inline void throw_exception_from_error(const Findings& findings, const boost::source_location&) {
  std::string text;
  for (const Finding& finding : findings)
    text += finding.to_string() + "\n";
  throw std::runtime_error(text);
}

}  // namespace causeway::config
