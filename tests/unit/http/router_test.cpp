// SPDX-License-Identifier: Apache-2.0
#include "http/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace causeway::http {
namespace {

namespace beast_http = boost::beast::http;
using beast_http::field;
using testing::HasSubstr;

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    request.method(beast_http::verb::get);
    request.version(11);
    request.set(field::host, "example.org");
  }

  Outcome ask(std::string_view target) {
    request.target(target);
    return route(request, facts, site);
  }

  Response answer(std::string_view target) { return std::get<Response>(ask(target)); }
  unsigned code(std::string_view target) { return answer(target).header.result_int(); }

  void upgrade() {
    request.set(field::connection, "Upgrade");
    request.set(field::upgrade, "websocket");
    request.set(field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
    request.set(field::sec_websocket_version, "13");
  }

  const std::string script = std::string(5000, 'x');
  const std::vector<WebAsset> assets{
      {"/index.html", "the call page"}, {"/test.html", "the test page"}, {"/js/a.js", script}};
  const StaticFiles files{assets};
  std::vector<std::string> origins;
  Site site{files, origins, std::nullopt, true};
  net::ConnectionFacts facts{{*IpAddress::parse("198.51.100.9"), 5000}, {*IpAddress::parse("192.0.2.1"), 8443}, true};
  RequestHeader request;
};

TEST_F(RouterTest, pages) {
  EXPECT_EQ(answer("/").body, "the call page");
  EXPECT_EQ(answer("/?name=x").body, "the call page");
  EXPECT_EQ(answer("/r/blue%2Froom").body, "the call page");
  EXPECT_EQ(answer("/r/x?y").body, "the call page");
  EXPECT_EQ(answer("/test").body, "the test page");
  EXPECT_EQ(answer("/js/a.js").body, script);
  EXPECT_EQ(answer("http://example.org/test").body, "the test page");
  EXPECT_EQ(answer("http://example.org").body, "the call page");
}

TEST_F(RouterTest, nothing_else) {
  for (const std::string_view target :
       {"/r/", "/r/a/b", "/nothing", "/js", "/js/", "/../etc/passwd", "/%2e%2e/x", "//", "/admin"}) {
    EXPECT_EQ(code(target), 404U) << target;
  }
  EXPECT_EQ(code("*"), 400U);
  EXPECT_EQ(code("index.html"), 400U);
}

TEST_F(RouterTest, one_valid_host_is_needed) {
  request.erase(field::host);
  EXPECT_EQ(code("/"), 400U);
  request.set(field::host, "a b");
  EXPECT_EQ(code("/"), 400U);
  request.set(field::host, "a");
  request.insert(field::host, "b");
  EXPECT_EQ(code("/healthz"), 400U);
}

TEST_F(RouterTest, only_get_and_head) {
  request.method(beast_http::verb::post);
  EXPECT_EQ(code("/"), 405U);
  EXPECT_EQ(answer("/ws").header[field::allow], "GET, HEAD");
  EXPECT_EQ(code("/nothing"), 404U);
  request.method(beast_http::verb::head);
  EXPECT_EQ(code("/"), 200U);
  EXPECT_EQ(answer("/").body, "the call page");  // its length is told, the session leaves it out
}

TEST_F(RouterTest, health_and_readiness) {
  EXPECT_EQ(answer("/healthz").body, "ok\n");
  EXPECT_EQ(code("/readyz"), 200U);
  site.is_ready = false;
  EXPECT_EQ(code("/healthz"), 200U);
  EXPECT_EQ(code("/readyz"), 503U);
}

TEST_F(RouterTest, every_answer_carries_the_security_headers) {
  for (const std::string_view target : {"/", "/nothing", "/healthz", "/ws", "*"}) {
    const Response response = answer(target);
    EXPECT_THAT(std::string(response.header["Content-Security-Policy"]), HasSubstr("default-src 'none'"));
    EXPECT_EQ(response.header["X-Content-Type-Options"], "nosniff");
    EXPECT_EQ(response.header["Referrer-Policy"], "no-referrer");
    EXPECT_EQ(response.header.count(field::strict_transport_security), 0U) << "nobody has said that it can";
    EXPECT_EQ(response.header["Permissions-Policy"], "camera=(self), microphone=(self), display-capture=(self)");
  }
  EXPECT_THAT(std::string(answer("/").header["Content-Security-Policy"]),
              HasSubstr("connect-src 'self' wss://example.org; "));
}

TEST_F(RouterTest, a_browsing_context_of_its_own_is_asked_for_over_tls_only) {
  EXPECT_EQ(answer("/").header["Cross-Origin-Opener-Policy"], "same-origin");
  facts.is_tls = false;
  EXPECT_EQ(answer("/").header.count("Cross-Origin-Opener-Policy"), 0U);
}

TEST_F(RouterTest, tls_for_ever_is_asked_for_over_tls_only) {
  site.strict_transport = true;
  EXPECT_EQ(answer("/").header[field::strict_transport_security], "max-age=31536000");
  EXPECT_EQ(answer("/nothing").header[field::strict_transport_security], "max-age=31536000");
  facts.is_tls = false;
  EXPECT_EQ(answer("/").header.count(field::strict_transport_security), 0U);
}

TEST_F(RouterTest, no_request_has_a_body) {
  request.set(field::content_length, "2");
  EXPECT_EQ(code("/"), 413U);
  EXPECT_FALSE(can_go_on_after(request));
  request.erase(field::content_length);
  request.set(field::transfer_encoding, "chunked");
  EXPECT_EQ(code("/"), 413U);
  EXPECT_FALSE(can_go_on_after(request));
  request.set(field::transfer_encoding, "gzip");
  EXPECT_EQ(code("/"), 501U);
  EXPECT_FALSE(can_go_on_after(request));
  request.erase(field::transfer_encoding);
  EXPECT_EQ(code("/"), 200U);
  EXPECT_TRUE(can_go_on_after(request));
}

TEST_F(RouterTest, unchanged_files_are_not_sent_again) {
  const std::string etag = answer("/").header[field::etag];
  EXPECT_EQ(answer("/").header[field::cache_control], "no-cache");
  request.set(field::if_none_match, etag);
  const Response response = answer("/");
  EXPECT_EQ(response.header.result_int(), 304U);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.header[field::etag], etag);
  EXPECT_EQ(code("/test"), 200U);
}

TEST_F(RouterTest, compressed_where_the_client_takes_it) {
  EXPECT_EQ(answer("/js/a.js").header[field::vary], "Accept-Encoding");
  const std::string plain_etag = answer("/js/a.js").header[field::etag];
  request.set(field::accept_encoding, "gzip, br");
  const Response response = answer("/js/a.js");
  EXPECT_EQ(response.header[field::content_encoding], "gzip");
  EXPECT_LT(response.body.size(), 100U);
  EXPECT_NE(response.header[field::etag], plain_etag);
  EXPECT_EQ(answer("/").header.count(field::content_encoding), 0U);  // too small to gain
  request.set(field::if_none_match, response.header[field::etag]);
  EXPECT_EQ(code("/js/a.js"), 304U);
}

TEST_F(RouterTest, ranges_are_of_the_plain_content) {
  request.set(field::accept_encoding, "gzip");
  request.set(field::range, "bytes=4-7");
  Response response = answer("/");
  EXPECT_EQ(response.header.result_int(), 206U);
  EXPECT_EQ(response.body, "call");
  EXPECT_EQ(response.header[field::content_range], "bytes 4-7/13");
  EXPECT_EQ(answer("/js/a.js").header.count(field::content_encoding), 0U);
  request.set(field::if_range, "\"something else\"");
  EXPECT_EQ(code("/"), 200U);
  request.set(field::if_range, response.header[field::etag]);
  EXPECT_EQ(code("/"), 206U);
  request.erase(field::if_range);
  request.set(field::range, "bytes=13-");
  response = answer("/");
  EXPECT_EQ(response.header.result_int(), 416U);
  EXPECT_EQ(response.header[field::content_range], "bytes */13");
  EXPECT_EQ(response.header[field::content_type], "text/plain; charset=utf-8");
}

TEST_F(RouterTest, pages_without_tls_go_to_https) {
  facts.is_tls = false;
  EXPECT_EQ(code("/"), 200U);  // there is no https
  site.https_port = 8443;
  request.set(field::host, "example.org:8080");
  EXPECT_EQ(code("/"), 308U);
  EXPECT_EQ(answer("/r/a?b=c").header[field::location], "https://example.org:8443/r/a?b=c");
  EXPECT_EQ(code("/js/a.js"), 308U);
  EXPECT_EQ(code("/nothing"), 404U);
  EXPECT_EQ(code("/healthz"), 200U);
  EXPECT_EQ(code("/readyz"), 200U);
  EXPECT_EQ(code("/ws"), 426U);
  site.https_port = 443;
  request.set(field::host, "[2001:db8::1]:8080");
  EXPECT_EQ(answer("/").header[field::location], "https://[2001:db8::1]/");
}

TEST_F(RouterTest, loopback_and_tls_do_not_redirect) {
  site.https_port = 8443;
  EXPECT_EQ(code("/"), 200U);
  facts.is_tls = false;
  for (const std::string_view loopback : {"127.0.0.1", "127.8.8.8", "::1"}) {
    facts.local.address = *IpAddress::parse(loopback);
    EXPECT_EQ(code("/"), 200U) << loopback;
  }
}

TEST_F(RouterTest, a_websocket_upgrade_goes_to_signaling) {
  EXPECT_EQ(code("/ws"), 426U);
  upgrade();
  request.set(field::host, "example.org:8443");
  auto open = std::get<signaling::OpenRequest>(ask("/ws"));
  EXPECT_EQ(open.plain_room, std::nullopt);
  EXPECT_EQ(open.host, "example.org");
  EXPECT_TRUE(open.secure);
  open = std::get<signaling::OpenRequest>(ask("/ws?room=blue%20room"));
  EXPECT_EQ(open.plain_room, "blue room");
  EXPECT_EQ(code("/"), 200U);
}

TEST_F(RouterTest, a_foreign_page_may_not_open_a_websocket) {
  upgrade();
  request.set(field::origin, "https://example.org");
  EXPECT_TRUE(std::holds_alternative<signaling::OpenRequest>(ask("/ws")));
  request.set(field::origin, "http://example.org");
  EXPECT_EQ(code("/ws"), 403U) << "a page without TLS, that anybody on the way may have written";
  request.set(field::origin, "https://evil.example");
  EXPECT_EQ(code("/ws"), 403U);
  EXPECT_THAT(std::string(answer("/ws").body), HasSubstr("signaling.origins"));
  origins = {"https://evil.example"};
  site.origins = origins;
  EXPECT_TRUE(std::holds_alternative<signaling::OpenRequest>(ask("/ws")));
}

TEST_F(RouterTest, no_new_session_while_stopping) {
  upgrade();
  site.is_ready = false;
  EXPECT_EQ(code("/ws"), 503U);
}

}  // namespace
}  // namespace causeway::http
