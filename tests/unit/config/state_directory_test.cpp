// SPDX-License-Identifier: Apache-2.0
#include "app/state_directory.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "app/self_signed_certificate.hpp"
#include "causeway/base/base64.hpp"
#include "fake_time.hpp"
#include "net/tls_context.hpp"
#include "temporary_folder.hpp"

using namespace causeway;
using namespace causeway::app;
using causeway::test::kNow;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

namespace {

std::string content(const std::filesystem::path& file) {
  std::ifstream stream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

void put(const std::filesystem::path& file, std::string_view text) {
  std::ofstream{file, std::ios::binary} << text;
}

mode_t mode(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

class StateDirectoryTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "deep" / "state";
};

}  // namespace

TEST_F(StateDirectoryTest, MakesSecretsOnceAndKeepsThem) {
  const KeptSecrets first = StateDirectory{path_}.secrets();
  EXPECT_EQ(mode(path_), 0700u);
  for (const char* name : {"shared_secret", "nonce_key", "admin_token"})
    EXPECT_EQ(mode(path_ / name), 0600u) << name;
  EXPECT_EQ(base64url_decode(first.shared_secret).value().size(), 32u);
  EXPECT_EQ(base64url_decode(first.admin_token).value().size(), 32u);
  EXPECT_NE(first.shared_secret, first.admin_token);

  const KeptSecrets second = StateDirectory{path_}.secrets();
  EXPECT_EQ(second.shared_secret, first.shared_secret);
  EXPECT_EQ(second.nonce_key, first.nonce_key);
  EXPECT_EQ(second.admin_token, first.admin_token);
  EXPECT_EQ(read_shared_secret(path_), first.shared_secret);
  for (const auto& entry : std::filesystem::directory_iterator{path_})
    EXPECT_NE(entry.path().extension(), ".new");
}

TEST_F(StateDirectoryTest, AStartThatWasCutOffDoesNoHarm) {
  std::filesystem::create_directories(path_);
  put(path_ / "shared_secret.new", "half of a sec");
  const KeptSecrets kept = StateDirectory{path_}.secrets();
  EXPECT_EQ(base64url_decode(kept.shared_secret).value().size(), 32u);
  EXPECT_FALSE(std::filesystem::exists(path_ / "shared_secret.new"));
}

TEST_F(StateDirectoryTest, ManyStartsAtOnceAgree) {
  std::vector<KeptSecrets> kept(8);
  std::vector<std::string> certificates(kept.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      threads.emplace_back([&, i] {
        const StateDirectory state{path_};
        kept[i] = state.secrets();
        certificates[i] = content(state.self_signed_certificate(kNow).certificate);
      });
    }
  }
  for (std::size_t i = 1; i < kept.size(); ++i) {
    EXPECT_EQ(kept[i].shared_secret, kept[0].shared_secret);
    EXPECT_EQ(kept[i].nonce_key, kept[0].nonce_key);
    EXPECT_EQ(certificates[i], certificates[0]);
  }
}

TEST_F(StateDirectoryTest, WhatIsDamagedIsNamedAndNeverReplaced) {
  const StateDirectory state{path_};
  state.secrets();
  const auto damage = [&](const char* name, std::string_view text) {
    const std::string before = content(path_ / name);
    put(path_ / name, text);
    EXPECT_THAT([&] { state.secrets(); },
                ThrowsMessage<std::runtime_error>(AllOf(HasSubstr(name), HasSubstr("is damaged"))));
    EXPECT_EQ(content(path_ / name), text);
    put(path_ / name, before);
  };
  damage("shared_secret", "");
  damage("shared_secret", "\n");
  damage("shared_secret", "short");
  damage("shared_secret", "0123456789abcdef\n0123456789abcdef\n");
  damage("admin_token", "");
  damage("nonce_key", "");
  damage("nonce_key", "0123456789abcdef");
  damage("nonce_key", std::string(100'000, 'x'));
}

TEST_F(StateDirectoryTest, ASecretOfTheOperatorsOwnIsTaken) {
  std::filesystem::create_directories(path_);
  put(path_ / "shared_secret", "correct-horse-battery-staple");
  ::chmod((path_ / "shared_secret").c_str(), 0600);
  EXPECT_EQ(StateDirectory{path_}.secrets().shared_secret, "correct-horse-battery-staple");
}

TEST_F(StateDirectoryTest, ASecretThatOthersCanReadIsRefusedWithTheCommandThatMendsIt) {
  const StateDirectory state{path_};
  state.secrets();
  const CertificateFiles files = state.self_signed_certificate(kNow);
  for (const char* name : {"shared_secret", "nonce_key", "admin_token"}) {
    for (const mode_t loose : {0644u, 0640u, 0660u, 0606u}) {
      ::chmod((path_ / name).c_str(), loose);
      EXPECT_THAT([&] { state.secrets(); },
                  ThrowsMessage<std::runtime_error>(HasSubstr("chmod 600 " + (path_ / name).string())));
      EXPECT_THAT([&] { has_all_secrets(path_); }, ThrowsMessage<std::runtime_error>(HasSubstr("chmod 600")));
    }
    ::chmod((path_ / name).c_str(), 0400);
    state.secrets();
  }
  ::chmod(files.private_key.c_str(), 0644);
  EXPECT_THAT([&] { state.self_signed_certificate(kNow); },
              ThrowsMessage<std::runtime_error>(HasSubstr("chmod 600 " + files.private_key.string())));
  ::chmod(files.private_key.c_str(), 0600);
  ::chmod(files.certificate.c_str(), 0644);
  state.self_signed_certificate(kNow);
}

TEST_F(StateDirectoryTest, RootReadsWhatItLetsTheGroupOfAnotherUserRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  constexpr gid_t kGroup = 65534;
  StateDirectory{path_}.secrets();
  const std::filesystem::path file = path_ / "nonce_key";
  ASSERT_EQ(::chown(file.c_str(), 0, kGroup), 0);
  ::chmod(file.c_str(), 0640);
  EXPECT_TRUE(has_all_secrets(path_));
  ::chmod(file.c_str(), 0660);
  EXPECT_THAT([&] { has_all_secrets(path_); },
              ThrowsMessage<std::runtime_error>(HasSubstr("chmod 640 " + file.string())));
}

TEST_F(StateDirectoryTest, NothingIsWrittenWhereNothingIsMissing) {
  const StateDirectory state{path_};
  EXPECT_FALSE(has_all_secrets(path_));
  const KeptSecrets kept = state.secrets();
  state.self_signed_certificate(kNow);
  EXPECT_TRUE(has_all_secrets(path_));
  std::filesystem::remove(path_ / "lock");
  EXPECT_EQ(StateDirectory{path_}.secrets().shared_secret, kept.shared_secret);
  EXPECT_EQ(state.self_signed_certificate(kNow).renewal_problem, "");
  EXPECT_FALSE(std::filesystem::exists(path_ / "lock")) << "it was locked to be written";
}

TEST_F(StateDirectoryTest, ACertificateThatCannotBeRenewedServesToItsEnd) {
  const StateDirectory state{path_};
  const CertificateFiles files = state.self_signed_certificate(kNow);
  std::filesystem::remove(path_ / "lock");
  std::filesystem::create_directory(path_ / "lock");  // which not even root can open to write
  const auto end = kNow + kCertificateLife;
  EXPECT_THAT(state.self_signed_certificate(end - std::chrono::seconds{1}).renewal_problem, HasSubstr("lock"));
  EXPECT_THAT([&] { state.self_signed_certificate(end); }, ThrowsMessage<std::runtime_error>(HasSubstr("lock")));
}

TEST_F(StateDirectoryTest, AFifoIsDamagedAndNotWaitedFor) {
  std::filesystem::create_directories(path_);
  ASSERT_EQ(::mkfifo((path_ / "shared_secret").c_str(), 0600), 0);
  EXPECT_THAT([&] { StateDirectory{path_}.secrets(); },
              ThrowsMessage<std::runtime_error>(HasSubstr("it is no regular file")));
}

TEST_F(StateDirectoryTest, AFolderThatCannotBeMadeIsASentence) {
  put(folder_.path() / "deep", "a file");
  EXPECT_THAT([&] { StateDirectory{path_}; },
              ThrowsMessage<std::runtime_error>(AllOf(HasSubstr(path_.string()), HasSubstr("cannot be made"))));
  EXPECT_THAT([] { StateDirectory{"/proc/causeway"}; }, ThrowsMessage<std::runtime_error>(HasSubstr("cannot be made")));
  EXPECT_THAT([&] { StateDirectory{folder_.path() / "deep"}; }, ThrowsMessage<std::runtime_error>(HasSubstr("folder")));
}

TEST_F(StateDirectoryTest, AFolderThatCannotBeWrittenIsASentence) {
  // Writing is refused here even to root.
  EXPECT_THAT([] { StateDirectory{"/proc/self"}.secrets(); },
              ThrowsMessage<std::runtime_error>(HasSubstr("/proc/self/lock cannot be locked: ")));
}

TEST_F(StateDirectoryTest, ReadingMakesNothing) {
  EXPECT_THAT([&] { read_shared_secret(path_); }, ThrowsMessage<std::runtime_error>(HasSubstr("does not exist yet")));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(StateDirectoryTest, TheCertificateServesTlsAndIsRenewedInTimeWithItsKey) {
  const StateDirectory state{path_};
  const CertificateFiles files = state.self_signed_certificate(kNow);
  EXPECT_EQ(mode(files.private_key), 0600u);
  const net::TlsContext context{files.certificate, files.private_key};
  EXPECT_EQ(context.not_after(), kNow + kCertificateLife);
  EXPECT_LT(context.not_before(), kNow);
  const std::string certificate = content(files.certificate);
  const std::string key = content(files.private_key);

  const auto due = kNow + kCertificateLife - kCertificateRenewal;
  state.self_signed_certificate(due - std::chrono::seconds{1});
  EXPECT_EQ(content(files.certificate), certificate);
  state.self_signed_certificate(due);
  EXPECT_NE(content(files.certificate), certificate);
  EXPECT_EQ(content(files.private_key), key);
  EXPECT_EQ(net::TlsContext(files.certificate, files.private_key).not_after(), due + kCertificateLife);
}

TEST_F(StateDirectoryTest, ACertificateThatIsDamagedIsNamedAndNeverReplaced) {
  const StateDirectory state{path_};
  const CertificateFiles files = state.self_signed_certificate(kNow);
  const std::string certificate = content(files.certificate);
  const std::string key = content(files.private_key);
  const auto fails_with = [&](const char* what) {
    EXPECT_THAT([&] { state.self_signed_certificate(kNow); }, ThrowsMessage<std::runtime_error>(HasSubstr(what)));
  };
  put(files.certificate, "");
  fails_with("certificate.pem is damaged: it holds no certificate");
  put(files.certificate, certificate);
  put(files.private_key, "");
  fails_with("private_key.pem holds no private key");
  put(files.private_key, make_private_key_pem());
  fails_with("does not belong to the private key");
  std::filesystem::remove(files.private_key);
  fails_with("the private key beside it is missing");
  // A start that was cut off between the two.
  put(files.private_key, key);
  std::filesystem::permissions(files.private_key, std::filesystem::perms{0600});
  std::filesystem::remove(files.certificate);
  state.self_signed_certificate(kNow);
  EXPECT_EQ(content(files.private_key), key);
}
