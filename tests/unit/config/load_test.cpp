// SPDX-License-Identifier: Apache-2.0
#include "config/load.hpp"

#include <gmock/gmock.h>

#include <string>

#include "config_or_throw.hpp"

using namespace causeway;
using namespace causeway::config;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

namespace {

const Environment kHome{{"HOME", "/home/alice"}};
const std::filesystem::path kFile = "/etc/causeway/causeway.json";

Result<Config, Findings> read(std::string_view text, const Environment& environment = kHome,
                              const std::vector<Setting>& command_line = {}) {
  return load_text(text, kFile, environment, command_line);
}

std::vector<std::string> sentences(const Findings& findings) {
  std::vector<std::string> all;
  for (const Finding& finding : findings)
    all.push_back(finding.to_string());
  return all;
}

std::vector<std::string> errors(std::string_view text, const Environment& environment = kHome) {
  const auto config = read(text, environment);
  return config ? std::vector<std::string>{} : sentences(config.error());
}

std::string only_error(std::string_view text) {
  const auto all = errors(text);
  EXPECT_THAT(all, SizeIs(1)) << text;
  return all.empty() ? "" : all.front();
}

}  // namespace

TEST(Defaults, AreThoseOfAFirstStart) {
  const Config config = load(std::nullopt, kHome).value();
  EXPECT_EQ(config.file, std::nullopt);
  EXPECT_EQ(config.realm, "causeway");
  EXPECT_EQ(config.state_directory, "/home/alice/.local/state/causeway");
  const IpAddress any = *IpAddress::parse("::");
  EXPECT_THAT(
      config.listeners,
      ElementsAre(Listener{Transport::kUdp, any, 3478, true, false}, Listener{Transport::kTcp, any, 3478, true, false},
                  Listener{Transport::kTls, any, 5349, true, false}, Listener{Transport::kDtls, any, 5349, true, false},
                  Listener{Transport::kTcp, any, 8080, true, true}, Listener{Transport::kTls, any, 8443, true, true}));
  EXPECT_THAT(config.turn.relay.addresses, ElementsAre(*IpAddress::parse("0.0.0.0"), any));
  EXPECT_EQ(config.turn.limits.allocations_per_user, 128u);
  EXPECT_EQ(config.tls.certificate, std::nullopt);
}

TEST(Defaults, AnEmptyObjectChangesNothing) {
  const Config config = read("{}").value();
  EXPECT_EQ(config.file, kFile);
  EXPECT_EQ(config.listeners, load(std::nullopt, kHome).value().listeners);
}

TEST(Load, ReadsEveryKindOfValue) {
  const Config config = read(R"({
    // a comment
    "realm": "turn.example.org", /* another */
    "state_directory": "state",
    "listeners": [{"transport": "udp", "address": "192.0.2.1", "port": 3478}, {"transport": "tls", "port": 443},
                  {"transport": "tcp", "port": 8080, "services": ["http"], "proxy_protocol": ["10.0.0.7", "fd00::/8"]}],
    "tls": {"certificate": "live/fullchain.pem", "private_key": "/keys/key.pem"},
    "turn": {"users": {"alice": "her password"}, "shared_secrets": ["one", "two"],
             "external_addresses": ["203.0.113.7", "2001:db8::7", "turn.example.org/10.0.0.5"], "public_host": "turn.example.org",
             "relay": {"addresses": ["10.0.0.5"], "port_min": 50000, "port_max": 50000},
             "peers": {"allow": ["10.1.0.0/16"], "deny": ["fd00::/8"], "lan": true},
             "limits": {"allocations_per_user": 0, "permissions_per_allocation": 7},
             "lifetimes": {"allocation_seconds_max": 1200}, "mobility": true, "gather_microseconds": 200,
             "workers": 4},
    "signaling": {"origins": ["https://example.org", "http://[::1]:8080"], "room_members_max": 2, "ice_ttl_seconds": 600},
    "web": {"root": null}, "log": {"level": "warning", "format": "json"}})")
                            .value();
  EXPECT_EQ(config.realm, "turn.example.org");
  EXPECT_THAT(config.listeners,
              ElementsAre(Listener{Transport::kUdp, *IpAddress::parse("192.0.2.1"), 3478, true, false},
                          Listener{Transport::kTls, *IpAddress::parse("::"), 443, true, true},
                          Listener{Transport::kTcp,
                                   *IpAddress::parse("::"),
                                   8080,
                                   false,
                                   true,
                                   {*Prefix::parse("10.0.0.7/32"), *Prefix::parse("fd00::/8")}}));
  EXPECT_EQ(config.turn.users.at("alice"), "her password");
  EXPECT_THAT(config.turn.shared_secrets, ElementsAre("one", "two"));
  ASSERT_THAT(config.turn.external_addresses, SizeIs(3));
  EXPECT_EQ(config.turn.external_addresses[0].address, IpAddress::parse("203.0.113.7"));
  EXPECT_EQ(config.turn.external_addresses[0].local, std::nullopt);
  EXPECT_EQ(config.turn.external_addresses[2].host, "turn.example.org");
  EXPECT_EQ(config.turn.external_addresses[2].address, std::nullopt);
  EXPECT_EQ(config.turn.external_addresses[2].local, IpAddress::parse("10.0.0.5"));
  EXPECT_EQ(config.turn.public_host, "turn.example.org");
  EXPECT_THAT(config.turn.relay.addresses, ElementsAre(*IpAddress::parse("10.0.0.5")));
  EXPECT_EQ(config.turn.relay.port_max, 50000);
  EXPECT_THAT(config.turn.peers.allow, ElementsAre(*Prefix::parse("10.1.0.0/16")));
  EXPECT_TRUE(config.turn.peers.lan);
  EXPECT_EQ(config.turn.limits.allocations_per_user, 0u);
  EXPECT_EQ(config.turn.lifetimes.allocation_seconds_max, std::chrono::seconds{1200});
  EXPECT_TRUE(config.turn.mobility);
  EXPECT_EQ(config.turn.gather_microseconds, std::chrono::microseconds{200});
  EXPECT_EQ(config.turn.workers, 4u);
  EXPECT_EQ(config.signaling.ice_ttl_seconds, std::chrono::seconds{600});
  EXPECT_EQ(config.log.level, LogLevel::kWarning);
  EXPECT_EQ(config.log.format, LogFormat::kJson);
}

TEST(Load, NatDiscoveryHasPairsOfAddresses) {
  const Config off = read(R"({"turn": {"nat_discovery": null}})").value();
  EXPECT_THAT(off.turn.nat_discovery.endpoints(), IsEmpty());
  const Config config = read(R"({"turn": {"nat_discovery": {"addresses": ["192.0.2.1", "192.0.2.2", "2001:db8::1",
      "2001:db8::2"], "external_addresses": ["203.0.113.1", "203.0.113.2", "2001:db8::1", "2001:db8::2"],
      "alternate_port": 5000}}})")
                            .value();
  const auto endpoints = config.turn.nat_discovery.endpoints();
  EXPECT_THAT(endpoints, SizeIs(8));
  EXPECT_EQ(endpoints.at(3).to_string(), "192.0.2.2:5000");
}

TEST(Errors, NatDiscovery) {
  const auto with = [](const std::string& members) { return R"({"turn": {"nat_discovery": {)" + members + "}}}"; };
  for (const char* addresses : {R"("192.0.2.1")", R"("192.0.2.1", "2001:db8::1")", R"("192.0.2.1", "192.0.2.2", "::1")",
                                R"("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")"}) {
    EXPECT_THAT(only_error(with(R"("addresses": [)" + std::string{addresses} + "]")), HasSubstr("two of each"))
        << addresses;
  }
  EXPECT_THAT(only_error(with(R"("addresses": ["192.0.2.1", "192.0.2.1"])")), HasSubstr("names one address twice"));
  EXPECT_THAT(only_error(with(R"("alternate_port": 3478)")), HasSubstr("another port"));
  EXPECT_THAT(only_error(with(R"("addresses": ["192.0.2.1", "192.0.2.2"], "external_addresses": ["203.0.113.1"])")),
              HasSubstr("external_addresses must name one address"));
}

TEST(Load, TheNumberOfWorkersIsANumberOrAuto) {
  for (const char* wrong : {"0", "65", "-1", "1.5", "\"two\"", "true"}) {
    const std::string text = std::string{R"({"turn": {"workers": )"} + wrong + "}}";
    EXPECT_THAT(errors(text), ElementsAre(HasSubstr("must be a whole number from 1 to 64, or \"auto\""))) << wrong;
  }
}

TEST(Load, RelativePathsBeginAtTheFileThatNamesThem) {
  const Config config =
      read(R"({"state_directory": "state", "tls": {"certificate": "../c.pem", "private_key": "/keys/k.pem"}})",
           {{"CAUSEWAY_WEB__ROOT", "pages"}})
          .value();
  EXPECT_EQ(config.state_directory, "/etc/causeway/state");
  EXPECT_EQ(config.tls.certificate, "/etc/c.pem");
  EXPECT_EQ(config.tls.private_key, "/keys/k.pem");
  EXPECT_EQ(config.web.root, std::filesystem::current_path() / "pages");
}

TEST(Load, AFileThatIsNotThereIsAnError) {
  const auto config = load("/nonexistent/causeway.json", kHome);
  ASSERT_FALSE(config);
  EXPECT_THAT(sentences(config.error()),
              ElementsAre("/nonexistent/causeway.json: this file cannot be read: No such file or directory."));
  EXPECT_THAT(sentences(load("/", kHome).error()), ElementsAre(HasSubstr("this is a folder")));
}

TEST(Errors, AnUnknownKeyNamesLinePathAndNearestKey) {
  EXPECT_EQ(only_error("{\n  \"turn\": {\n    \"relay\": {\"port_mni\": 50000}\n  }\n}"),
            "/etc/causeway/causeway.json:3: turn.relay.port_mni is not a key of the configuration; the nearest is "
            "turn.relay.port_min.");
  EXPECT_THAT(only_error("{\n\n\"relm\": \"a\"}"), AllOf(HasSubstr("json:3: relm is"), HasSubstr("nearest is realm.")));
  EXPECT_THAT(only_error(R"({"listeners": [{"transport": "udp", "prot": 3478, "port": 1}]})"),
              AllOf(HasSubstr("listeners[0].prot"), HasSubstr("nearest is listeners[].port.")));
  // In the wrong section.
  EXPECT_THAT(only_error(R"({"port_max": 50000})"), HasSubstr("nearest is turn.relay.port_max."));
}

TEST(Errors, AllAreReportedAtOnce) {
  EXPECT_THAT(errors("{\n\"realm\": 7,\n\"listeners\": [\n{\"transport\": \"sctp\", \"port\": 70000}\n],\n"
                     "\"turn\": {\"peers\": {\"allow\": [\"10.0.0.1/8\"],\n\"lan\": \"yes\"}}, \"x\": 1}"),
              ElementsAre(HasSubstr("json:2: realm must be 1 to 127 characters"),
                          HasSubstr("json:4: listeners[0].transport must be one of \"udp\", \"tcp\", \"tls\", "
                                    "\"dtls\", but is \"sctp\"."),
                          HasSubstr("json:4: listeners[0].port must be a whole number from 1 to 65535, but is 70000."),
                          HasSubstr("json:6: turn.peers.allow[0] must be a prefix like"),
                          HasSubstr("json:7: turn.peers.lan must be true or false, but is \"yes\"."),
                          HasSubstr("json:7: x is not a key")));
}

TEST(Errors, DuplicateKeysNameBothLines) {
  EXPECT_EQ(only_error("{\"realm\": \"a\",\n\n\"realm\": \"b\"}"),
            "/etc/causeway/causeway.json:3: realm is set twice; it was set at /etc/causeway/causeway.json:1 before, so "
            "remove one of the two.");
}

TEST(Errors, DuplicateListenersNameEachOther) {
  const auto with = [](const std::string& listeners) { return R"({"listeners": [)" + listeners + "]}"; };
  EXPECT_THAT(only_error(with("{\"transport\": \"tcp\", \"port\": 443},\n{\"transport\": \"tls\", \"port\": 443}")),
              HasSubstr("json:2: listeners[1] takes the same port as listeners[0]"));
  EXPECT_THAT(
      only_error(with(R"({"transport": "udp", "port": 5, "address": "127.0.0.1"}, {"transport": "udp", "port": 5})")),
      HasSubstr("listeners[1] takes the same port"));
  EXPECT_THAT(errors(with(R"({"transport": "udp", "port": 5}, {"transport": "tcp", "port": 5})")), IsEmpty());
  EXPECT_THAT(errors(with(R"({"transport": "udp", "port": 5, "address": "127.0.0.1"},
                             {"transport": "udp", "port": 5, "address": "::1"})")),
              IsEmpty());
}

TEST(Errors, UdpAndDtlsShareAPortOnOneAddressOnly) {
  const auto with = [](const std::string& listeners) { return R"({"listeners": [)" + listeners + "]}"; };
  EXPECT_THAT(errors(with(R"({"transport": "udp", "port": 5}, {"transport": "dtls", "port": 5})")), IsEmpty());
  EXPECT_THAT(errors(with(R"({"transport": "dtls", "port": 5}, {"transport": "tls", "port": 5})")), IsEmpty());
  EXPECT_THAT(only_error(with(R"({"transport": "dtls", "port": 5}, {"transport": "dtls", "port": 5})")),
              HasSubstr("listeners[1] takes the same port"));
  EXPECT_THAT(
      only_error(with(R"({"transport": "udp", "port": 5, "address": "127.0.0.1"}, {"transport": "dtls", "port": 5})")),
      HasSubstr("share a port only on the same address"));
}

TEST(Errors, Listeners) {
  EXPECT_THAT(errors(R"({"listeners": []})"), ElementsAre(HasSubstr("must name one listener")));
  EXPECT_THAT(errors(R"({"listeners": [{}]})"), ElementsAre(HasSubstr("listeners[0] needs the key \"transport\""),
                                                            HasSubstr("listeners[0] needs the key \"port\"")));
  EXPECT_THAT(errors(R"({"listeners": [{"transport": "udp", "port": 1, "services": ["http"]}]})"),
              ElementsAre(HasSubstr("does not run over udp")));
  EXPECT_THAT(errors(R"({"listeners": [{"transport": "dtls", "port": 1, "services": ["http"]}]})"),
              ElementsAre(HasSubstr("does not run over dtls")));
  EXPECT_THAT(errors(R"({"listeners": [{"transport": "tcp", "port": 1, "services": ["admin"]}]})"),
              ElementsAre(HasSubstr("but names \"admin\"")));
  EXPECT_THAT(errors(R"({"listeners": [{"transport": "tcp", "port": 1, "services": []}]})"),
              ElementsAre(HasSubstr("must name")));
  EXPECT_THAT(errors(R"({"listeners": [{"transport": "tcp", "port": 1, "address": "localhost"}]})"),
              ElementsAre(HasSubstr("must be an IP address, but is \"localhost\"")));
  EXPECT_THAT(errors(R"({"listeners": [{"transport": "udp", "port": 1, "proxy_protocol": ["10.0.0.7"]}]})"),
              ElementsAre(HasSubstr("listeners[0].proxy_protocol must be empty, because the PROXY protocol does not")));
  EXPECT_THAT(errors(R"({"listeners": [{"transport": "tcp", "port": 1, "proxy_protocol": ["proxy.example.org"]}]})"),
              ElementsAre(HasSubstr("listeners[0].proxy_protocol[0] must be a prefix")));
  EXPECT_THAT(errors(R"({"listeners": [{"transport": "tcp", "port": 1, "encrypted_only": true}]})"),
              ElementsAre(HasSubstr("listeners[0].encrypted_only is for tls listeners")));
  EXPECT_THAT(errors(R"({"listeners": [7]})"), ElementsAre(HasSubstr("listeners[0] must be an object in braces")));
}

TEST(Errors, Ranges) {
  EXPECT_THAT(only_error(R"({"turn": {"relay": {"port_min": 50001, "port_max": 50000}}})"),
              HasSubstr("turn.relay.port_min must not be above port_max"));
  for (const char* text :
       {R"({"turn": {"relay": {"port_min": 1023}}})", R"({"turn": {"relay": {"port_max": 65536}}})",
        R"({"turn": {"relay": {"port_min": -1}}})", R"({"turn": {"relay": {"port_min": 5e4}}})",
        R"({"turn": {"limits": {"allocations_total": 1000001}}})",
        R"({"turn": {"limits": {"channels_per_allocation": 0}}})",
        R"({"turn": {"limits": {"connections_per_allocation": 0}}})",
        R"({"turn": {"limits": {"connections_total": 0}}})",
        R"({"turn": {"lifetimes": {"allocation_seconds_max": 599}}})", R"({"signaling": {"room_members_max": 1}})",
        R"({"signaling": {"resume_grace_seconds": 301}})", R"({"signaling": {"ice_ttl_seconds": "1h"}})",
        R"({"signaling": {"message_bytes_max": 18446744073709551615}})"}) {
    EXPECT_THAT(only_error(text), HasSubstr("must be a whole number from ")) << text;
  }
  EXPECT_THAT(only_error(R"({"signaling": {"bytes_per_second": 1000}})"),
              HasSubstr("signaling.bytes_per_second must be 0 or 1024 at least, but is 1000"));
  EXPECT_THAT(only_error(R"({"signaling": {"message_bytes_max": 65536, "queue_bytes_max": 65536}})"),
              HasSubstr("twice message_bytes_max"));
}

TEST(Errors, Texts) {
  for (const char* text : {R"({"realm": ""})",
                           R"({"realm": "a\"b"})",
                           R"({"realm": "a\u0000b"})",
                           R"({"turn": {"users": {"a:b": "c"}}})",
                           R"({"turn": {"users": {"": "c"}}})",
                           R"({"turn": {"users": {"a": ""}}})",
                           R"({"turn": {"users": []}})",
                           R"({"turn": {"shared_secrets": [""]}})",
                           R"({"turn": {"external_addresses": ["0.0.0.0"]}})",
                           R"({"turn": {"external_addresses": ["turn_example"]}})",
                           R"({"turn": {"external_addresses": ["192.0.2.1/"]}})",
                           R"({"turn": {"external_addresses": ["192.0.2.1/name"]}})",
                           R"({"turn": {"external_addresses": ["192.0.2.1/24"]}})",
                           R"({"turn": {"external_addresses": ["192.0.2.1/fd00::1"]}})",
                           R"({"turn": {"external_addresses": ["192.0.2.1/10.0.0.1", "turn.example.org/10.0.0.1"]}})",
                           R"({"turn": {"external_addresses": ["a.example.org", "b.example.org"]}})",
                           R"({"turn": {"external_addresses": ["192.0.2.1", "192.0.2.2"]}})",
                           R"({"turn": {"public_host": "a b"}})",
                           R"({"turn": {"public_host": "[::1]"}})",
                           R"({"turn": {"public_host": "10.0.0.256"}})",
                           R"({"turn": {"relay": {"addresses": []}}})",
                           R"({"turn": {"relay": {"addresses": ["::", "::"]}}})",
                           R"({"turn": {"peers": {"deny": ["10.0.0.0/33"]}}})",
                           R"({"signaling": {"origins": ["example.org"]}})",
                           R"({"signaling": {"origins": ["https://example.org/"]}})",
                           R"({"signaling": {"origins": ["https://a:0"]}})",
                           R"({"log": {"level": "loud"}})",
                           R"({"tls": {"certificate": "c.pem"}})",
                           R"({"web": {"root": ""}})",
                           R"({"web": []})",
                           R"({"log": null})",
                           "[]"}) {
    EXPECT_THAT(errors(text), SizeIs(1)) << text;
  }
}

TEST(Errors, NoneShowsASecret) {
  for (const char* text :
       {R"({"turn": {"users": {"alice": "s3cr3t\u0001"}}})", R"({"turn": {"users": {"a": ["s3cr3t"]}}})",
        R"({"turn": {"shared_secrets": ["s3cr3t\n"]}})", R"({"turn": {"shared_secrets": "s3cr3t"}})",
        R"({"turn": {"shared_secrets": ["s3cr3t)", R"({"turn": {"users": {"a": "s3cr3t" 7}}})"}) {
    for (const std::string& error : errors(text))
      EXPECT_THAT(error, testing::Not(HasSubstr("s3cr3t")));
    EXPECT_THAT(errors(text), testing::Not(IsEmpty())) << text;
  }
}

TEST(Errors, WhatIsNoJsonNamesTheLine) {
  EXPECT_THAT(only_error("{\n\"realm\": \"a\",\n}"),
              AllOf(HasSubstr("json:3: this is not valid JSON: "), HasSubstr("}")));
  EXPECT_THAT(only_error(""), HasSubstr("json:1: this is not valid JSON"));
  EXPECT_THAT(only_error("{} {}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(only_error("{\"realm\": \"\xff\"}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(only_error("{\"a\": 1e999}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(only_error(std::string(100'000, '[')), HasSubstr("nested more than 8 levels"));
  EXPECT_THAT(only_error(std::string(2'000'000, ' ')), HasSubstr("larger than 1 MiB"));
}

TEST(CommandLine, WinsOverEnvironmentAndFile) {
  const Environment environment{{"HOME", "/"}, {"CAUSEWAY_REALM", "environment"}};
  EXPECT_EQ(read(R"({"realm": "file"})").value().realm, "file");
  EXPECT_EQ(read(R"({"realm": "file"})", environment).value().realm, "environment");
  EXPECT_EQ(read(R"({"realm": "file"})", environment, {{{"realm"}, "option", "option --realm"}}).value().realm,
            "option");
  const auto wrong = read("{}", environment, {{{"realm"}, "", "option --realm"}});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(sentences(wrong.error()), ElementsAre(HasSubstr("option --realm: realm must be")));
}

TEST(CommandLine, AddsUsers) {
  const auto config = read(R"({"turn": {"users": {"alice": "a", "bob": "b"}}})", kHome,
                           {{{"turn", "users", "bob"}, "new", "option --user"}});
  EXPECT_THAT(config.value().turn.users, ElementsAre(testing::Pair("alice", "a"), testing::Pair("bob", "new")));
}
