// SPDX-License-Identifier: Apache-2.0
#include "http/request_headers.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "causeway/base/endpoint.hpp"
#include "http/header_text.hpp"

namespace causeway::http {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_name_character(char c) noexcept {
  const char lower = static_cast<char>(c | 0x20);
  return is_digit(c) || (lower >= 'a' && lower <= 'z') || c == '-' || c == '.' || c == '_';
}

bool is_port(std::string_view text) noexcept {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

std::optional<std::size_t> parse_number(std::string_view text) noexcept {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return SIZE_MAX;
  return error == std::errc{} ? std::optional(value) : std::nullopt;
}

int hex_digit(char c) noexcept {
  if (is_digit(c)) return c - '0';
  const char letter = static_cast<char>(c | 0x20);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

std::string decode_form(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (text[i] == '%' && high >= 0 && low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

std::optional<Host> parse_host(std::string_view header) {
  Host host;
  std::size_t end = 0;
  if (header.starts_with('[')) {
    end = header.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const auto address = IpAddress::parse(header.substr(1, end - 1));
    if (!address || address->is_v4()) return std::nullopt;
    ++end;
  } else {
    end = std::min(header.find(':'), header.size());
    const std::string_view name = header.substr(0, end);
    if (name.empty() || name.size() > 253 || !std::all_of(name.begin(), name.end(), is_name_character)) {
      return std::nullopt;
    }
  }
  host.name = header.substr(0, end);
  if (end == header.size()) return host;
  if (header[end] != ':') return std::nullopt;
  host.port = header.substr(end + 1);
  if (!host.port.empty() && !is_port(host.port)) return std::nullopt;
  return host;
}

bool is_origin_allowed(std::string_view origin, const RequestedSite& site, std::span<const std::string> allowed) {
  const auto names_it = [&](const std::string& one) { return one == "*" || equal_ignoring_case(one, origin); };
  if (std::any_of(allowed.begin(), allowed.end(), names_it)) return true;
  const std::size_t scheme_end = origin.find("://");
  if (scheme_end == std::string_view::npos) return false;  // "null" among others
  if (!equal_ignoring_case(origin.substr(0, scheme_end), site.is_tls ? "https" : "http")) return false;
  const std::string_view default_port = site.is_tls ? "443" : "80";
  const auto from = parse_host(origin.substr(scheme_end + 3));
  const auto to = parse_host(site.host);
  const auto port = [&](const Host& one) { return one.port.empty() ? default_port : one.port; };
  return from && to && equal_ignoring_case(from->name, to->name) && port(*from) == port(*to);
}

BodyFraming body_framing(const boost::beast::http::fields& header) {
  using boost::beast::http::field;
  const std::size_t codings = header.count(field::transfer_encoding);
  if (codings > 0) {
    const bool is_chunked = codings == 1 && equal_ignoring_case(trim(header[field::transfer_encoding]), "chunked");
    return is_chunked ? BodyFraming::kBody : BodyFraming::kUnknownCodings;
  }
  const bool is_empty = header.count(field::content_length) == 0 || header[field::content_length] == "0";
  return is_empty ? BodyFraming::kNoBody : BodyFraming::kBody;
}

bool accepts_gzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    std::string_view item = next_part(accept_encoding, ',');
    if (!equal_ignoring_case(next_part(item, ';'), "gzip")) continue;
    const std::string_view weight = trim(item);  // "q=0", "q=0.0", "q=0.000" refuse
    return !(weight.starts_with("q=0") && weight.find_first_not_of("0.", 2) == std::string_view::npos);
  }
  return false;
}

bool matches_etag(std::string_view if_none_match, std::string_view etag) {
  while (!if_none_match.empty()) {
    std::string_view item = next_part(if_none_match, ',');
    if (item == "*") return true;
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == etag) return true;
  }
  return false;
}

std::variant<WholeContent, ByteRange, UnsatisfiableRange> parse_range(std::string_view range,
                                                                      std::size_t content_bytes) {
  constexpr std::string_view kUnit = "bytes=";
  if (!range.starts_with(kUnit) || range.find(',') != std::string_view::npos) return WholeContent{};
  range.remove_prefix(kUnit.size());
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) return WholeContent{};
  const auto first = parse_number(trim(range.substr(0, dash)));
  const std::string_view last_text = trim(range.substr(dash + 1));
  const auto last = parse_number(last_text);
  if (dash == 0) {  // the last N bytes
    if (!last) return WholeContent{};
    if (*last == 0 || content_bytes == 0) return UnsatisfiableRange{};
    return ByteRange{content_bytes - std::min(*last, content_bytes), content_bytes - 1};
  }
  if (!first || (!last && !last_text.empty()) || (last && *last < *first)) return WholeContent{};
  if (*first >= content_bytes) return UnsatisfiableRange{};
  return ByteRange{*first, std::min(last.value_or(SIZE_MAX), content_bytes - 1)};
}

std::optional<std::string> query_value(std::string_view target, std::string_view key) {
  std::string_view query = target.substr(target_path(target).size());
  if (!query.empty()) query.remove_prefix(1);
  while (!query.empty()) {
    std::string_view pair = next_part(query, '&');
    if (decode_form(next_part(pair, '=')) == key) return decode_form(pair);
  }
  return std::nullopt;
}

std::string_view target_path(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace causeway::http
