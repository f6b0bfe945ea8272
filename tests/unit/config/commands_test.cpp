// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/check.hpp"
#include "app/state_directory.hpp"
#include "causeway/turn/credentials.hpp"
#include "config/load.hpp"
#include "config_or_throw.hpp"
#include "net/system_clock.hpp"
#include "temporary_folder.hpp"

using namespace causeway;
using namespace causeway::app;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

class CommandsTest : public testing::Test {
 protected:
  Outcome execute(std::vector<std::string> arguments, config::Environment more = {}) {
    more.emplace("CONFIGURATION_DIRECTORY", folder_.path());  // not the one of this machine
    more.emplace("STATE_DIRECTORY", folder_.path() / "state");
    std::ostringstream out;
    std::ostringstream err;
    const int code = app::execute(std::move(arguments), more, out, err);
    return {code, out.str(), err.str()};
  }
  std::string file(std::string_view text) {
    const auto path = folder_.path() / "test.json";
    std::ofstream{path} << text;
    return path;
  }

  TemporaryFolder folder_;
};

// The time-limited form needs the right expiry, so the vector checks the function that the command prints.
TEST(CredentialVector, AgreesWithOpenssl) {
  // printf %s 1893456000:alice | openssl dgst -sha1 -hmac north-by-northwest -binary | base64
  const auto made =
      turn::make_time_limited_credential("north-by-northwest", "alice", WallTime{std::chrono::seconds{1893456000}});
  EXPECT_EQ(made.username, "1893456000:alice");
  EXPECT_EQ(made.password, "SVoObAoy/L+sMAGx0ipY+7sIV4Q=");
}

}  // namespace

TEST(Lifetime, TakesSecondsMinutesHoursDays) {
  EXPECT_EQ(parse_lifetime("90"), std::chrono::seconds{90});
  EXPECT_EQ(parse_lifetime("90s"), std::chrono::seconds{90});
  EXPECT_EQ(parse_lifetime("30m"), std::chrono::minutes{30});
  EXPECT_EQ(parse_lifetime("1h"), std::chrono::hours{1});
  EXPECT_EQ(parse_lifetime("7d"), std::chrono::days{7});
  EXPECT_EQ(parse_lifetime("3650d"), std::chrono::days{3650});
  for (const char* wrong :
       {"", "h", "0", "-1", "1.5h", "1 h", "1w", "1hh", "3651d", "9223372036854775807d", "99999999999999999999"}) {
    EXPECT_EQ(parse_lifetime(wrong), std::nullopt) << wrong;
  }
}

TEST_F(CommandsTest, VersionAndHelp) {
  EXPECT_THAT(execute({"version"}).out, testing::StartsWith("causeway "));
  EXPECT_EQ(execute({"--help"}).code, 0);
  EXPECT_EQ(execute({"serve", "--help"}).code, 0);
}

TEST_F(CommandsTest, BadUsageIsExitCode2) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--nonsense"},
                                             {"dance"},
                                             {"version", "version", "--x"},
                                             {"check-config"},
                                             {"credential"},
                                             {"credential", "--user", "a:b"},
                                             {"credential", "--user", "alice", "--ttl", "soon"},
                                             {"serve", "--user", "alice"},
                                             {"serve", "--port", "0"},
                                             {"serve", "--port", "70000"},
                                             {"serve", "--listen", "localhost"},
                                             {"serve", "--realm", "a\"b"},
                                             {"serve", "--user", ":password"},
                                             {"serve", "--port", "4000", "--web-port", "4000"}}) {
    const Outcome outcome = execute(arguments);
    EXPECT_EQ(outcome.code, 2) << testing::PrintToString(arguments);
    EXPECT_THAT(outcome.err, testing::Not(IsEmpty()));
    EXPECT_THAT(outcome.out, IsEmpty());
  }
}

TEST_F(CommandsTest, ABadConfigIsExitCode2WithAllErrors) {
  const std::string path = file("{\n\"relm\": 1,\n\"log\": {\"level\": 7}}");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"check-config", path},
                                             {"--config", path},
                                             {"serve", "--config", path},
                                             {"credential", "--user", "a", "--config", path}}) {
    const Outcome outcome = execute(arguments);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(path + ":2: relm"), HasSubstr(path + ":3: log.level")));
  }
  EXPECT_EQ(execute({"check-config", "/nonexistent"}).code, 2);
  EXPECT_EQ(execute({"version"}, {{"CAUSEWAY_REALM", ""}}).code, 0);
  EXPECT_EQ(execute({"serve"}, {{"CAUSEWAY_RELM", "a"}}).code, 2);
}

TEST_F(CommandsTest, CheckConfigAcceptsWhatCanStart) {
  const std::string path = file(R"({"listeners": [{"transport": "udp", "address": "127.0.53.7", "port": 40999}]})");
  const Outcome outcome = execute({"check-config", path});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("no errors"));
}

TEST_F(CommandsTest, CheckFindsWhatTheMachineDoesNotHave) {
  const auto config = config::load_text(R"({
    "state_directory": "/proc/version/causeway", "web": {"root": "/nonexistent"},
    "listeners": [{"transport": "tls", "address": "192.0.2.1", "port": 40998}],
    "tls": {"certificate": "/nonexistent/c.pem", "private_key": "/nonexistent/k.pem"},
    "turn": {"shared_secrets": ["short"], "external_addresses": ["10.0.0.1", "2001:4860::1"],
             "relay": {"addresses": ["0.0.0.0"]}}})",
                                        "causeway.json", {{"HOME", "/"}})
                          .value();
  std::string all;
  for (const auto& finding : check(config, WallTime{}))
    all += finding.to_string() + "\n";
  EXPECT_THAT(
      all, AllOf(HasSubstr("/nonexistent/c.pem"), HasSubstr("web.root /nonexistent"),
                 HasSubstr("/proc/version/causeway cannot be written"), HasSubstr("shared_secrets[0] is so short"),
                 HasSubstr("10.0.0.1 is not a public address"), HasSubstr("2001:4860::1 has no address of its family"),
                 HasSubstr("Cannot listen on tls 192.0.2.1:40998")));
}

TEST_F(CommandsTest, CheckFindsAPortThatIsTaken) {
  const int taken = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  ASSERT_EQ(::bind(taken, reinterpret_cast<sockaddr*>(&address), bytes), 0);
  ASSERT_EQ(::getsockname(taken, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
  config::Config config;
  config.state_directory = folder_.path();
  config.listeners = {{config::Transport::kUdp, *IpAddress::parse("127.0.0.1"), ntohs(address.sin_port)}};
  const auto findings = check(config, WallTime{});
  ::close(taken);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings.front().sentence, HasSubstr("another program has this port"));
}

TEST_F(CommandsTest, CheckJudgesTheTimeOfTheCertificate) {
  const WallTime now = read_clock().wall;
  const CertificateFiles files = StateDirectory{folder_.path() / "state"}.self_signed_certificate(now);
  config::Config config;
  config.listeners = {};
  config.state_directory = folder_.path();
  config.tls = {files.certificate, files.private_key};
  EXPECT_THAT(check(config, now), IsEmpty());
  const auto at = [&](std::chrono::days days) {
    const auto findings = check(config, now + days);
    EXPECT_EQ(findings.size(), 1u);
    return findings.empty() ? "" : findings.front().sentence;
  };
  EXPECT_THAT(at(std::chrono::days{-2}), HasSubstr("not valid yet"));
  EXPECT_THAT(at(std::chrono::days{820}), HasSubstr("expires within a week"));
  EXPECT_THAT(at(std::chrono::days{826}), HasSubstr("has expired"));
}

TEST_F(CommandsTest, CheckWarnsOfPasswordsThatEverybodyCanRead) {
  const std::string path = file(
      R"({"turn": {"users": {"alice": "x"}}, "listeners": [{"transport": "udp", "address": "127.0.53.8", "port": 40997}]})");
  ::chmod(path.c_str(), 0644);
  EXPECT_THAT(execute({"check-config", path}).err, HasSubstr("warning: " + path + ": this file holds passwords"));
  ::chmod(path.c_str(), 0640);
  EXPECT_THAT(execute({"check-config", path}).err, testing::Not(HasSubstr("holds passwords")));
}

TEST_F(CommandsTest, CheckOfAFifoOrAFolderEndsAtOnce) {
  const std::string fifo = folder_.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(execute({"check-config", fifo}).code, 2);
  EXPECT_THAT(execute({"check-config", fifo}).err, HasSubstr("this is a FIFO, a socket or a device"));
  EXPECT_THAT(execute({"check-config", folder_.path()}).err, HasSubstr("this is a folder"));
  const auto tls = R"({"tls": {"certificate": ")" + fifo + R"(", "private_key": ")" + fifo + R"("}})";
  EXPECT_THAT(execute({"check-config", file(tls)}).err, HasSubstr("is a FIFO, a socket or a device, not a PEM file"));
}

TEST_F(CommandsTest, CheckRefusesASecretThatOthersCanRead) {
  const StateDirectory state{folder_.path() / "state"};
  state.secrets();
  EXPECT_THAT(execute({"check-config", file("{}")}).err, Not(HasSubstr("chmod 600")));
  ::chmod((folder_.path() / "state" / "nonce_key").c_str(), 0644);
  const Outcome done = execute({"check-config", file("{}")});
  EXPECT_EQ(done.code, 2);
  EXPECT_THAT(done.err, HasSubstr("chmod 600"));
}

TEST_F(CommandsTest, CheckSaysWhatAnAllowMeansForTheServersOwnAddresses) {
  const auto checked = [this](const std::string& allow) {
    return execute({"check-config", file(R"({"turn": {"peers": {"allow": [")" + allow + R"("]}}})")});
  };
  EXPECT_THAT(checked("::/8").err, Not(HasSubstr("turn.peers.allow"))) << "::1 is denied by a longer prefix";
  EXPECT_THAT(checked("127.0.0.0/8").err, HasSubstr("turn.peers.allow[0] 127.0.0.0/8 opens every port of this server"));
  EXPECT_THAT(checked("::1/128").err, HasSubstr("opens every port of this server at ::1"));
}

TEST_F(CommandsTest, CheckCountsAddressesThatLeadHereAsTheServersOwn) {
  const Outcome done = execute({"check-config", file(R"({"turn": {"public_host": "10.20.0.6",
    "external_addresses": ["10.20.0.5"], "peers": {"allow": ["10.20.0.0/16", "10.20.0.5/32"]}}})")});
  EXPECT_THAT(done.err, HasSubstr("turn.peers.allow[0] 10.20.0.0/16 covers this server's own address 10.20.0.6, "
                                  "which stays closed; only \"10.20.0.6/32\" would open it"));
  EXPECT_THAT(done.err, Not(HasSubstr("10.20.0.5, which stays closed")));
  EXPECT_THAT(done.err, HasSubstr("opens every port of this server at 10.20.0.5"));
}

TEST_F(CommandsTest, CheckFindsThatNatDiscoveryNeedsOpenBinding) {
  const Outcome done = execute({"check-config", file(R"({"turn": {"binding": "allocated",
    "nat_discovery": {"addresses": ["127.0.0.1", "127.0.0.2"]}}})")});
  EXPECT_EQ(done.code, 2);
  EXPECT_THAT(done.err, HasSubstr("turn.nat_discovery and turn.binding \"allocated\" contradict each other"));
}

TEST_F(CommandsTest, CredentialUsesTheFirstSecretOfTheFile) {
  const std::string path = file(R"({"turn": {"shared_secrets": ["north-by-northwest", "other"]}})");
  const auto before = read_clock().wall;
  const Outcome outcome = execute({"credential", "--user", "alice", "--ttl", "30m", "--config", path, "--json"});
  const auto after = read_clock().wall;
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto object = nlohmann::json::parse(outcome.out);
  const std::string username = object.at("username");
  const WallTime expiry{std::chrono::seconds{std::stoll(username)}};
  EXPECT_GE(expiry, before + std::chrono::minutes{30});
  EXPECT_LE(expiry, after + std::chrono::minutes{30});
  EXPECT_EQ(username.substr(username.find(':')), ":alice");
  EXPECT_EQ(object.at("ttl"), 1800);
  EXPECT_EQ(object.at("password"), turn::make_time_limited_credential("north-by-northwest", "alice", expiry).password);
}

TEST_F(CommandsTest, CredentialUsesTheSecretOfTheStateDirectory) {
  Outcome outcome = execute({"credential", "--user", "alice"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("start the daemon once"));

  const std::string secret = StateDirectory{folder_.path() / "state"}.secrets().shared_secret;
  outcome = execute({"credential", "--user", "alice"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  std::string label;
  std::string username;
  std::string password;
  std::istringstream{outcome.out} >> label >> username >> label >> password;
  const WallTime expiry{std::chrono::seconds{std::stoll(username)}};
  EXPECT_EQ(password, turn::make_time_limited_credential(secret, "alice", expiry).password);
}

TEST_F(CommandsTest, ImportsATurnserverConf) {
  const auto imported = execute({"import-turnserver-conf", file("no-tls\nstatic-auth-secret=north\nno-udp-relay\n")});
  EXPECT_EQ(imported.code, kExitSuccess);
  EXPECT_THAT(imported.err,
              AllOf(HasSubstr("note: "), HasSubstr("test.json:3: no-udp-relay: "), Not(HasSubstr("north"))));
  EXPECT_EQ(execute({"check-config", file(imported.out)}).code, kExitSuccess);
}

TEST_F(CommandsTest, ImportSaysWhenTheFileCannotBeRead) {
  const auto imported = execute({"import-turnserver-conf", folder_.path() / "absent.conf"});
  EXPECT_EQ(imported.code, kExitBadConfig);
  EXPECT_THAT(imported.out, IsEmpty());
  EXPECT_THAT(imported.err, HasSubstr("cannot be read"));
}
