// SPDX-License-Identifier: Apache-2.0
#include "http/request_headers.hpp"

#include <gtest/gtest.h>

namespace causeway::http {
namespace {

std::string host_text(std::string_view header) {
  const auto host = parse_host(header);
  return host ? std::string(host->name) + "|" + std::string(host->port) : "bad";
}

TEST(Host, names_and_ports) {
  EXPECT_EQ(host_text("example.org"), "example.org|");
  EXPECT_EQ(host_text("example.org:8443"), "example.org|8443");
  EXPECT_EQ(host_text("example.org:"), "example.org|");
  EXPECT_EQ(host_text("192.0.2.1:80"), "192.0.2.1|80");
  EXPECT_EQ(host_text("[2001:db8::1]:443"), "[2001:db8::1]|443");
  EXPECT_EQ(host_text("[::1]"), "[::1]|");
}

TEST(Host, refuses_what_could_break_out_of_a_uri) {
  for (const std::string_view bad : {"", ":80", "a b", "a/b", "a?b", "a@b", "a\"b", "a<b", "[::1", "[::1]x",
                                     "[192.0.2.1]", "[x]", "a:b", "a:0", "a:65536", "a:1:2", "2001:db8::1", "a,b"}) {
    EXPECT_EQ(host_text(bad), "bad") << bad;
  }
  EXPECT_EQ(host_text(std::string(254, 'a')), "bad");
}

TEST(Origin, is_the_host_itself) {
  const auto is_allowed = [](std::string_view origin, const RequestedSite& site) {
    return is_origin_allowed(origin, site, {});
  };
  EXPECT_TRUE(is_allowed("https://example.org", {"example.org", true}));
  EXPECT_TRUE(is_allowed("HTTPS://Example.org:443", {"example.ORG", true}));
  EXPECT_TRUE(is_allowed("http://example.org:8080", {"example.org:8080", false}));
  EXPECT_TRUE(is_allowed("http://example.org", {"example.org:80", false}));
  EXPECT_TRUE(is_allowed("http://[::1]:8080", {"[::1]:8080", false}));
  EXPECT_FALSE(is_allowed("https://example.org.evil.net", {"example.org", true}));
  EXPECT_FALSE(is_allowed("https://example.org:8443", {"example.org", true}));
  EXPECT_FALSE(is_allowed("null", {"example.org", true}));
  EXPECT_FALSE(is_allowed("example.org", {"example.org", true}));
  EXPECT_FALSE(is_allowed("https://example.org/path", {"example.org", true}));
}

TEST(Origin, has_the_scheme_of_the_site) {
  EXPECT_FALSE(is_origin_allowed("http://example.org:8443", {"example.org:8443", true}, {}));
  EXPECT_FALSE(is_origin_allowed("https://example.org:8080", {"example.org:8080", false}, {}));
  EXPECT_FALSE(is_origin_allowed("http://example.org", {"example.org:443", true}, {}));
  EXPECT_FALSE(is_origin_allowed("wss://example.org", {"example.org", true}, {}));
  EXPECT_FALSE(is_origin_allowed("chrome-extension://example.org", {"example.org", false}, {}));
}

TEST(Origin, or_one_of_the_configuration) {
  const std::vector<std::string> allowed{"https://app.example.net"};
  const RequestedSite site{"example.org", true};
  EXPECT_TRUE(is_origin_allowed("https://app.example.net", site, allowed));
  EXPECT_TRUE(is_origin_allowed("https://app.example.net", {"example.org", false}, allowed));
  EXPECT_TRUE(is_origin_allowed("https://example.org", site, allowed));
  EXPECT_FALSE(is_origin_allowed("http://app.example.net", site, allowed));
  EXPECT_FALSE(is_origin_allowed("https://app.example.net:444", site, allowed));
  EXPECT_TRUE(is_origin_allowed("null", site, std::vector<std::string>{"*"}));
}

TEST(BodyFraming, tells_where_a_request_ends) {
  const auto framing = [](std::initializer_list<std::pair<const char*, const char*>> fields) {
    boost::beast::http::fields header;
    for (const auto& [name, value] : fields)
      header.insert(name, value);
    return body_framing(header);
  };
  EXPECT_EQ(framing({}), BodyFraming::kNoBody);
  EXPECT_EQ(framing({{"Content-Length", "0"}}), BodyFraming::kNoBody);
  EXPECT_EQ(framing({{"Content-Length", "1"}}), BodyFraming::kBody);
  EXPECT_EQ(framing({{"Transfer-Encoding", "chunked"}}), BodyFraming::kBody);
  EXPECT_EQ(framing({{"transfer-encoding", " Chunked\t"}}), BodyFraming::kBody);
  for (const char* other : {"gzip", "identity", "gzip, chunked", "chunked, gzip", "chunked, chunked", "xchunked",
                            "chunked;x=1", "chunked,", ""})
    EXPECT_EQ(framing({{"Transfer-Encoding", other}}), BodyFraming::kUnknownCodings) << other;
  EXPECT_EQ(framing({{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}),
            BodyFraming::kUnknownCodings);
  EXPECT_EQ(framing({{"Transfer-Encoding", "gzip"}, {"Content-Length", "3"}}), BodyFraming::kUnknownCodings);
}

TEST(AcceptEncoding, gzip) {
  EXPECT_TRUE(accepts_gzip("gzip"));
  EXPECT_TRUE(accepts_gzip("deflate, GZIP;q=0.5, br"));
  EXPECT_TRUE(accepts_gzip("gzip;q=1.0"));
  EXPECT_FALSE(accepts_gzip(""));
  EXPECT_FALSE(accepts_gzip("br"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0"));
  EXPECT_FALSE(accepts_gzip("gzip ; q=0.000, br"));
  EXPECT_FALSE(accepts_gzip("gzipped"));
}

TEST(IfNoneMatch, lists_weak_ones_and_any) {
  EXPECT_TRUE(matches_etag("\"a\"", "\"a\""));
  EXPECT_TRUE(matches_etag("\"x\", W/\"a\"", "\"a\""));
  EXPECT_TRUE(matches_etag("*", "\"a\""));
  EXPECT_FALSE(matches_etag("", "\"a\""));
  EXPECT_FALSE(matches_etag("\"b\"", "\"a\""));
  EXPECT_FALSE(matches_etag("a", "\"a\""));
}

std::string range_text(std::string_view range, std::size_t bytes) {
  const auto parsed = parse_range(range, bytes);
  if (const auto* one = std::get_if<ByteRange>(&parsed)) {
    return std::to_string(one->first) + "-" + std::to_string(one->last);
  }
  return std::holds_alternative<WholeContent>(parsed) ? "whole" : "unsatisfiable";
}

TEST(Range, one_range) {
  EXPECT_EQ(range_text("bytes=0-0", 10), "0-0");
  EXPECT_EQ(range_text("bytes=2-5", 10), "2-5");
  EXPECT_EQ(range_text("bytes=2-", 10), "2-9");
  EXPECT_EQ(range_text("bytes=2-500", 10), "2-9");
  EXPECT_EQ(range_text("bytes=-3", 10), "7-9");
  EXPECT_EQ(range_text("bytes=-30", 10), "0-9");
  EXPECT_EQ(range_text("bytes=0-99999999999999999999999", 10), "0-9");
}

TEST(Range, unsatisfiable) {
  EXPECT_EQ(range_text("bytes=10-", 10), "unsatisfiable");
  EXPECT_EQ(range_text("bytes=-0", 10), "unsatisfiable");
  EXPECT_EQ(range_text("bytes=0-", 0), "unsatisfiable");
  EXPECT_EQ(range_text("bytes=-1", 0), "unsatisfiable");
  EXPECT_EQ(range_text("bytes=99999999999999999999999-", 10), "unsatisfiable");
}

TEST(Range, what_is_not_understood_is_ignored) {
  for (const std::string_view odd : {"", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=0-1,3-4",
                                     "items=0-1", "bytes=1-x", "bytes=--1", "bytes=+1-2"}) {
    EXPECT_EQ(range_text(odd, 10), "whole") << odd;
  }
}

TEST(Target, path_and_query) {
  EXPECT_EQ(target_path("/ws?room=a"), "/ws");
  EXPECT_EQ(target_path("/ws"), "/ws");
  EXPECT_EQ(query_value("/ws", "room"), std::nullopt);
  EXPECT_EQ(query_value("/ws?", "room"), std::nullopt);
  EXPECT_EQ(query_value("/ws?room", "room"), "");
  EXPECT_EQ(query_value("/ws?room=", "room"), "");
  EXPECT_EQ(query_value("/ws?x=1&room=a+b%20c%C3%A9&room=z", "room"), "a b c\xC3\xA9");
  EXPECT_EQ(query_value("/ws?room=100%&x", "room"), "100%");
  EXPECT_EQ(query_value("/ws?room=%4", "room"), "%4");
  EXPECT_EQ(query_value("/ws?room=%41", "room"), "A");
  EXPECT_EQ(query_value("/ws?rooms=a", "room"), std::nullopt);
}

}  // namespace
}  // namespace causeway::http
