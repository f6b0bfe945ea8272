// SPDX-License-Identifier: Apache-2.0
// What most files outside the core include and what is long to parse, read once for all of them. Files still include
// what they use: lint reads them without this.
#pragma once

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <filesystem>
#include <fstream>

#include "core_pch.hpp"
