// SPDX-License-Identifier: Apache-2.0
#include "config/import_turnserver_conf.hpp"

#include <gmock/gmock.h>

#include "config/load.hpp"
#include "config/turnserver_conf.hpp"

using namespace causeway;
using namespace causeway::config;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

namespace {

struct Imported {
  Config config;
  std::string json;
  std::vector<std::string> notes;  // "12: realm: ..."
};

// What comes out must load, whatever went in.
Imported import(std::string_view text) {
  const TurnserverImport import = import_turnserver_conf(text, "turnserver.conf");
  const auto config = load_text(import.json, "causeway.json", {{"STATE_DIRECTORY", "/var/lib/causeway"}});
  Imported imported{config ? *config : Config{}, import.json, {}};
  for (const ImportNote& note : import.notes)
    imported.notes.push_back(std::to_string(note.line) + ": " + note.sentence);
  if (!config) {
    for (const Finding& finding : config.error())
      ADD_FAILURE() << finding.to_string() << "\n" << import.json;
  }
  return imported;
}

std::vector<std::string> texts(const std::vector<Prefix>& prefixes) {
  std::vector<std::string> all;
  for (const Prefix& prefix : prefixes)
    all.push_back(prefix.to_string());
  return all;
}

std::vector<std::string> texts(const std::vector<Listener>& listeners) {
  std::vector<std::string> all;
  for (const Listener& listener : listeners) {
    all.push_back(std::string{name_of(listener.transport)} + " " + listener.endpoint().to_string() +
                  (listener.http ? " http" : ""));
  }
  return all;
}

}  // namespace

TEST(TurnserverConf, ReadsNamesValuesAndComments) {
  const auto options = parse_turnserver_conf(
      "# a comment\n\n  realm = example.org  \r\nfingerprint\n--min-port\t50000\nrealm=\"two words\"\nno-tcp=0");
  ASSERT_EQ(options.size(), 5U);
  EXPECT_EQ(options[0].line, 3U);
  EXPECT_EQ(options[0].name, "realm");
  EXPECT_EQ(options[0].value, "example.org");
  EXPECT_EQ(options[1].name, "fingerprint");
  EXPECT_EQ(options[1].is_on(), true);
  EXPECT_EQ(options[2].name, "min-port");
  EXPECT_EQ(options[2].value, "50000");
  EXPECT_EQ(options[3].value, "two words");
  EXPECT_EQ(options[4].is_on(), false);
}

TEST(TurnserverConf, ReadsOnAndOffAsCoturnDoes) {
  const auto is_on = [](const char* value) { return TurnserverOption{1, "no-udp", value}.is_on(); };
  for (const char* value : {"", "1", "7", "on", "On", "ON", "yes", "Y", "true", "T", "1 # why"})
    EXPECT_EQ(is_on(value), true) << value;
  for (const char* value : {"0", "off", "Off", "OFF", "no", "n", "nope", "False", "f", "0 # why"})
    EXPECT_EQ(is_on(value), false) << value;
  for (const char* value : {"oFF", "oN", "maybe", "# why", "off # why", "-1"})
    EXPECT_EQ(is_on(value), std::nullopt) << value;
}

TEST(ImportTurnserverConf, CarriesAServerForACompanyOver) {
  const auto [config, json, notes] = import(R"(# TURN for example.org
listening-port=3478
tls-listening-port=443
listening-ip=10.4.0.9
listening-ip=2001:db8::9
relay-ip=10.4.0.9
external-ip=198.51.100.9/10.4.0.9
min-port=50000
max-port=50999
fingerprint
lt-cred-mech
user=alice:her:password
user=bob:"quoted\
realm=example.org
user-quota=12
total-quota=1200
cert=/etc/ssl/turn.pem
pkey=/etc/ssl/turn.key
denied-peer-ip=10.0.0.0-10.255.255.255
allowed-peer-ip=10.4.7.1
no-cli
Verbose
max-allocate-lifetime=1800
)");
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_FALSE(config.turn.mobility);
  EXPECT_FALSE(config.turn.tcp_relay);
  EXPECT_THAT(json, HasSubstr("no-tcp-relay"));
  EXPECT_THAT(config.turn.nat_discovery.addresses, IsEmpty()) << "one address of each family";
  EXPECT_EQ(config.realm, "example.org");
  EXPECT_THAT(texts(config.listeners),
              ElementsAre("udp 10.4.0.9:3478", "dtls 10.4.0.9:3478", "tls 10.4.0.9:3478", "udp 10.4.0.9:443",
                          "dtls 10.4.0.9:443", "tls 10.4.0.9:443", "udp [2001:db8::9]:3478", "dtls [2001:db8::9]:3478",
                          "tls [2001:db8::9]:3478", "udp [2001:db8::9]:443", "dtls [2001:db8::9]:443",
                          "tls [2001:db8::9]:443"));
  EXPECT_EQ(config.tls.certificate, "/etc/ssl/turn.pem");
  EXPECT_EQ(config.tls.private_key, "/etc/ssl/turn.key");
  EXPECT_THAT(config.turn.users, ElementsAre(Pair("alice", "her:password"), Pair("bob", R"("quoted\)")));
  ASSERT_EQ(config.turn.external_addresses.size(), 1U);
  EXPECT_EQ(config.turn.external_addresses[0].to_string(), "198.51.100.9/10.4.0.9");
  EXPECT_THAT(config.turn.relay.addresses, ElementsAre(*IpAddress::parse("10.4.0.9")));
  EXPECT_EQ(config.turn.relay.port_min, 50000);
  EXPECT_EQ(config.turn.relay.port_max, 50999);
  EXPECT_EQ(config.turn.limits.allocations_per_user, 12U);
  EXPECT_EQ(config.turn.limits.allocations_total, 1200U);
  EXPECT_EQ(config.turn.lifetimes.allocation_seconds_max, std::chrono::seconds{1800});
  EXPECT_THAT(texts(config.turn.peers.allow), ElementsAre("10.4.7.1/32"));
  EXPECT_THAT(texts(config.turn.peers.deny), ElementsAre("10.0.0.0/8"));
  EXPECT_EQ(config.log.level, LogLevel::kDebug);
  EXPECT_THAT(json, AllOf(HasSubstr("// turnserver.conf:8 min-port\n"),
                          HasSubstr("// turnserver.conf:21 no-cli: needs"), HasSubstr("// turnserver.conf:12 user\n")));
}

TEST(ImportTurnserverConf, CarriesSharedSecretsOver) {
  const auto imported = import("use-auth-secret\nstatic-auth-secret=north\nstatic-auth-secret=south\nno-tls\n");
  EXPECT_THAT(imported.notes, IsEmpty());
  EXPECT_THAT(imported.config.turn.shared_secrets, ElementsAre("north", "south"));
  EXPECT_THAT(texts(imported.config.listeners), ElementsAre("udp [::]:3478", "tcp [::]:3478"));
}

TEST(ImportTurnserverConf, DoesNotWakeUpUsersThatCoturnIgnored) {
  const auto imported = import("use-auth-secret\nstatic-auth-secret=north\nuser=old:forgotten\nno-tls\n");
  EXPECT_THAT(imported.config.turn.users, IsEmpty());
  EXPECT_THAT(imported.notes, ElementsAre(AllOf(StartsWith("3: user: "), HasSubstr("turn.users"))));
}

TEST(ImportTurnserverConf, NeverBecomesAnAnonymousRelay) {
  EXPECT_THAT(import("no-auth\nno-tls\n").notes,
              ElementsAre(AllOf(StartsWith("1: no-auth: "), HasSubstr("no such mode"))));
  EXPECT_THAT(import("no-tls\n").notes, ElementsAre(AllOf(StartsWith("0: "), HasSubstr("relayed for anybody"))));
  EXPECT_THAT(import("no-tls\nuse-auth-secret\nredis-userdb=\"ip=10.0.0.1 password=hidden\"").notes,
              ElementsAre(HasSubstr("2: use-auth-secret: the secrets are"), StartsWith("3: redis-userdb: ")));
}

TEST(ImportTurnserverConf, CarriesNatDiscoveryAndMobilityOver) {
  const std::string base = "static-auth-secret=n\nno-tls\nmobility\nlistening-ip=192.0.2.1\nlistening-ip=192.0.2.2\n";
  const auto discovery = [&](std::string_view more) {
    return import(base + std::string{more}).config.turn.nat_discovery;
  };
  EXPECT_TRUE(import(base).config.turn.mobility);
  EXPECT_THAT(import(base).notes, IsEmpty());
  EXPECT_THAT(discovery("").addresses, ElementsAre(*IpAddress::parse("192.0.2.1"), *IpAddress::parse("192.0.2.2")));
  EXPECT_EQ(discovery("").port, 3478);
  EXPECT_EQ(discovery("").alternate_port, 3479);
  EXPECT_EQ(discovery("listening-port=65535\n").alternate_port, 1);
  EXPECT_EQ(discovery("alt-listening-port=9999\n").alternate_port, 9999);
  EXPECT_EQ(discovery("alt-listening-port=0\n").alternate_port, 3479);
  EXPECT_THAT(discovery("no-rfc5780\n").addresses, IsEmpty());
  EXPECT_THAT(discovery("external-ip=198.51.100.1/192.0.2.1\n").addresses, IsEmpty());
  EXPECT_THAT(import(base + "external-ip=198.51.100.1/192.0.2.1\n").notes,
              ElementsAre(HasSubstr("turn.nat_discovery")));
  EXPECT_THAT(import("static-auth-secret=n\nno-tls\nalt-listening-port=9999\n").notes,
              ElementsAre(AllOf(StartsWith("3: alt-listening-port: "), HasSubstr("needs two listening-ip"))));
}

TEST(ImportTurnserverConf, NamesEveryLineThatItCannotCarryOver) {
  const auto imported = import(
      "no-tls\nstatic-auth-secret=north\nmobility\nmax-bps=64000\nsome-new-option=1\nlistening-ip=eth0\n"
      "min-port=80\nexternal-ip=turn_example\nallowed-peer-ip=10.0.0.9-10.0.0.1\nrealm=\nmax-port=50000x\n"
      "no-udp-relay\nallow-loopback-peers\npkey=only.pem\n");
  EXPECT_THAT(imported.notes,
              ElementsAre(StartsWith("5: this option"), StartsWith("6: listening-ip: "), StartsWith("7: min-port: "),
                          StartsWith("8: external-ip: "), StartsWith("9: allowed-peer-ip: "), StartsWith("10: realm: "),
                          StartsWith("11: max-port: "), StartsWith("12: no-udp-relay: "),
                          StartsWith("13: allow-loopback-peers: "), StartsWith("14: pkey: is a relative"),
                          StartsWith("14: pkey: is of no use")));
  EXPECT_THAT(imported.config.turn.peers.allow, IsEmpty());
  EXPECT_EQ(imported.config.turn.limits.allocation_bytes_per_second, 64'000U);
}

TEST(ImportTurnserverConf, KeepsSecretsOutOfTheNotes) {
  const auto imported = import(
      "user=hunter2\nuser=alice:0xhunter2hunter2\nstatic-auth-secret\nstatic-auth-secret:hunter2\nhunter2\n"
      "cli-password=hunter2\nmysql-userdb=\"host=db password=hunter2\"\npkey-pwd=hunter2\n"
      "user=\xFFhunter2:hunter2\nhunter2\xFF\nstatic-auth-secret=\x01hunter2\n");
  EXPECT_GE(imported.notes.size(), 9U);
  EXPECT_THAT(imported.notes, Each(Not(HasSubstr("hunter2"))));
  EXPECT_THAT(imported.notes, Contains(AllOf(StartsWith("2: user: "), HasSubstr("key"))));
  EXPECT_THAT(imported.json, Not(HasSubstr("hunter2")));
}

TEST(ImportTurnserverConf, TheLastLineOfAnOptionCounts) {
  const auto imported = import("static-auth-secret=n\nno-tls\nrealm=a.example\nrealm=b.example\n");
  EXPECT_EQ(imported.config.realm, "b.example");
  EXPECT_THAT(imported.notes, ElementsAre(HasSubstr("3: realm: line 4 says it again")));
}

TEST(ImportTurnserverConf, ListenersNeverTakeOnePortTwice) {
  const std::string_view base = "static-auth-secret=n\ncert=/c.pem\npkey=/k.pem\n";
  const auto listeners = [&](std::string_view more) {
    return texts(import(std::string{base} + std::string{more}).config.listeners);
  };
  EXPECT_THAT(listeners("listening-port=443\ntls-listening-port=443\n"),
              ElementsAre("udp [::]:443", "dtls [::]:443", "tls [::]:443"));
  EXPECT_THAT(
      listeners("no-udp\nno-tcp\nno-dtls\nlistening-ip=0.0.0.0\nlistening-ip=192.0.2.1\nlistening-ip=192.0.2.1\n"),
      ElementsAre("tls 0.0.0.0:5349"));
  EXPECT_THAT(listeners("no-udp\nno-tcp\nlistening-ip=0.0.0.0\nlistening-ip=::\n"),
              ElementsAre("dtls [::]:5349", "tls [::]:5349"));
  EXPECT_THAT(import("static-auth-secret=n\nno-udp\nno-tcp\nno-tls\n").notes, ElementsAre(HasSubstr("no listener")));
}

TEST(ImportTurnserverConf, AllowedWinsOverDeniedAsInCoturn) {
  const auto peers =
      import(
          "static-auth-secret=n\nno-tls\nallowed-peer-ip=192.0.2.0-192.0.2.255\ndenied-peer-ip=192.0.2.7\n"
          "denied-peer-ip=198.51.100.0-198.51.100.5\n")
          .config.turn.peers;
  EXPECT_THAT(texts(peers.allow), ElementsAre("192.0.2.0/24"));
  EXPECT_THAT(texts(peers.deny), ElementsAre("198.51.100.0/30", "198.51.100.4/31"));
}

TEST(ImportTurnserverConf, SaysWhenAListIsTooLong) {
  std::string text = "static-auth-secret=n\nno-tls\n";
  for (int line = 0; line < 20; ++line)
    text += "denied-peer-ip=0.0.0.1-255.255.255.254\n";
  const auto imported = import(text);
  EXPECT_THAT(imported.notes, ElementsAre(AllOf(StartsWith("19: denied-peer-ip: "), HasSubstr("LEFT OUT"))));
  EXPECT_EQ(imported.config.turn.peers.deny.size(), 16U * 62U);
}

TEST(ImportTurnserverConf, AnyTextBecomesAConfigurationThatLoads) {
  import("");
  import("\n\n#\n=\n = \n--\n\"\nrealm\nuser\nuser=:\nuser=a:\nmin-port=60000\nmax-port=50000\n");
  import(std::string_view{"\0user=a:b\0\nrealm=\x80\xFF\nrealm=a\"b", 29});
  import("user=\"; rm\":*/ // \"x\nstatic-auth-secret=\\\"}\n");
}
