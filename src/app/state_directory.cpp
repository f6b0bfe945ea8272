// SPDX-License-Identifier: Apache-2.0
#include "app/state_directory.hpp"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "app/self_signed_certificate.hpp"
#include "causeway/base/base64.hpp"
#include "causeway/base/bytes.hpp"

namespace causeway::app {
namespace {

constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kFileBytesMax = 64 * 1024;

std::runtime_error failure(const std::filesystem::path& file, std::string_view what, int error) {
  std::string sentence =
      file.string() + " cannot be " + std::string{what} + ": " + std::generic_category().message(error);
  if (error == EACCES || error == EPERM || error == EROFS) {
    sentence += "; let this user write there, or choose another state_directory";
  }
  if (error == ENOSPC || error == EDQUOT) sentence += "; make room, or choose another state_directory";
  return std::runtime_error(sentence + ".");
}

std::runtime_error damaged(const std::filesystem::path& file, std::string_view how) {
  return std::runtime_error(file.string() + " is damaged: " + std::string{how} +
                            "; restore it, or delete it to have a new one made at the next start.");
}

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

enum class Privacy { kPublic, kSecret };

void require_private(const std::filesystem::path& file, const struct stat& status) {
  // Also where root itself reads it: at a start as root, or in check-config.
  const bool lent_by_root = status.st_uid == 0 && status.st_gid != 0;
  const bool group_may_read = lent_by_root || status.st_uid != ::geteuid();
  const mode_t allowed = group_may_read ? 0740 : 0700;
  const mode_t mode = status.st_mode & 0777;
  if ((mode & ~allowed) == 0) return;
  std::array<char, 8> octal{};
  std::snprintf(octal.data(), octal.size(), "%04o", static_cast<unsigned>(mode));
  throw std::runtime_error(file.string() + " is a secret that other users can read or change (mode " + octal.data() +
                           "): chmod " + (group_may_read ? "640 " : "600 ") + file.string() +
                           ", and replace it if one of them may have read it.");
}

// nullopt when there is no such file.
std::optional<std::string> read(const std::filesystem::path& file, Privacy privacy) {
  const Descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};  // a FIFO would wait
  if (descriptor.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw failure(file, "read", errno);
  }
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) throw failure(file, "read", errno);
  if (!S_ISREG(status.st_mode)) throw damaged(file, "it is no regular file");
  if (privacy == Privacy::kSecret) require_private(file, status);
  std::string content(kFileBytesMax, '\0');
  std::size_t bytes = 0;
  for (;;) {
    const ssize_t got = ::read(descriptor.get(), content.data() + bytes, content.size() - bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw failure(file, "read", errno);
    if (got == 0) break;
    bytes += static_cast<std::size_t>(got);
  }
  if (bytes == kFileBytesMax) throw damaged(file, "it is larger than 64 KiB");
  content.resize(bytes);
  return content;
}

void write_all(const Descriptor& descriptor, const std::filesystem::path& file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw failure(file, "written", errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

void give(const Descriptor& descriptor, const std::filesystem::path& file, const std::optional<FileOwner>& owner) {
  if (owner && ::fchown(descriptor.get(), owner->user, owner->group) != 0) throw failure(file, "given away", errno);
}

// Under the lock: whoever reads `file` sees all of it or none, also after a crash.
void write(const std::filesystem::path& file, std::string_view content, const std::optional<FileOwner>& owner) {
  const std::filesystem::path draft = file.string() + ".new";
  ::unlink(draft.c_str());  // of a start that was cut off
  try {
    const Descriptor descriptor{::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (descriptor.get() < 0) throw failure(file, "written", errno);
    give(descriptor, file, owner);
    write_all(descriptor, file, content);
    if (::fsync(descriptor.get()) != 0) throw failure(file, "written", errno);
    if (::rename(draft.c_str(), file.c_str()) != 0) throw failure(file, "written", errno);
  } catch (...) {
    ::unlink(draft.c_str());
    throw;
  }
  const Descriptor directory{::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) throw failure(file, "written", errno);
}

class Lock {
 public:
  Lock(const std::filesystem::path& directory, const std::optional<FileOwner>& owner)
      : descriptor_(::open((directory / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    int result = descriptor_.get();
    if (result >= 0) {
      do {
        result = ::flock(descriptor_.get(), LOCK_EX);  // the other daemon holds it for some milliseconds
      } while (result != 0 && errno == EINTR);
    }
    if (result < 0) throw failure(directory / "lock", "locked", errno);
    give(descriptor_, directory / "lock", owner);
  }

 private:
  Descriptor descriptor_;
};

std::string random_octets() {
  std::string octets(kRandomBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(octets.data()), static_cast<int>(octets.size())) != 1) {
    throw std::runtime_error("OpenSSL has no random numbers; this machine's random number generator does not work.");
  }
  return octets;
}

std::string random_text() {
  return base64url_encode(as_bytes(random_octets())) + "\n";
}

void make_if_missing(const std::filesystem::path& file, const std::function<std::string()>& make,
                     const std::optional<FileOwner>& owner) {
  if (!read(file, Privacy::kSecret)) write(file, make(), owner);
}

// An operator may have put a secret of his own there: any printable text of one line, with or without its end.
std::string checked_text(const std::filesystem::path& file, std::string content) {
  if (content.ends_with('\n')) content.pop_back();
  if (content.empty()) throw damaged(file, "it is empty");
  if (content.size() < 16) throw damaged(file, "it is too short for a secret");
  const bool printable = std::ranges::all_of(content, [](char c) { return c >= 0x21 && c <= 0x7E; });
  if (!printable) throw damaged(file, "it holds other things than one line of printable characters");
  return content;
}

std::filesystem::path secret_file(const std::filesystem::path& directory) {
  return directory / "shared_secret";
}
std::filesystem::path nonce_key_file(const std::filesystem::path& directory) {
  return directory / "nonce_key";
}

}  // namespace

StateDirectory::StateDirectory(std::filesystem::path path, std::optional<FileOwner> owner)
    : path_(std::move(path)), owner_(owner) {
  std::error_code error;
  if (std::filesystem::is_directory(path_, error)) return;
  std::filesystem::create_directories(path_.parent_path(), error);
  if (error) throw failure(path_, "made", error.value());
  const bool made = ::mkdir(path_.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) throw failure(path_, "made", errno);
  if (!std::filesystem::is_directory(path_, error)) throw failure(path_, "used as a folder", ENOTDIR);
  if (made) give(Descriptor{::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)}, path_, owner_);
}

std::optional<KeptSecrets> StateDirectory::read_secrets() const {
  const auto shared_secret = read(secret_file(path_), Privacy::kSecret);
  const auto admin_token = read(admin_token_file(), Privacy::kSecret);
  const auto nonce_key = read(nonce_key_file(path_), Privacy::kSecret);
  if (!shared_secret || !admin_token || !nonce_key) return std::nullopt;
  KeptSecrets kept;
  kept.shared_secret = checked_text(secret_file(path_), *shared_secret);
  kept.admin_token = checked_text(admin_token_file(), *admin_token);
  if (nonce_key->size() != kept.nonce_key.size()) throw damaged(nonce_key_file(path_), "it has not 32 octets");
  std::ranges::copy(as_bytes(*nonce_key), kept.nonce_key.begin());
  return kept;
}

KeptSecrets StateDirectory::secrets() const {
  if (auto kept = read_secrets()) return *std::move(kept);
  const Lock lock{path_, owner_};
  make_if_missing(secret_file(path_), random_text, owner_);
  make_if_missing(admin_token_file(), random_text, owner_);
  make_if_missing(nonce_key_file(path_), random_octets, owner_);
  return read_secrets().value();
}

// One that an authority issued was put here by the operator, and is the operator's to renew.
StateDirectory::CertificateState StateDirectory::judge(const CertificateFiles& files, WallTime now) const {
  const std::optional<std::string> kept = read(files.certificate, Privacy::kPublic);
  const std::optional<std::string> key = read(files.private_key, Privacy::kSecret);
  if (!key && kept) throw damaged(files.certificate, "the private key beside it is missing");
  if (!kept) return CertificateState::kMissing;
  try {
    const CertificateFacts facts = inspect_certificate(*kept, *key);
    if (!facts.is_self_issued || facts.not_after > now + kCertificateRenewal) return CertificateState::kGood;
    return facts.not_after > now ? CertificateState::kDue : CertificateState::kExpired;
  } catch (const std::runtime_error& error) {
    throw damaged(files.certificate, error.what());
  }
}

// The key comes first and stays, so that at every moment the pair fits.
void StateDirectory::make_certificate(const CertificateFiles& files, WallTime now) const {
  const Lock lock{path_, owner_};
  if (judge(files, now) == CertificateState::kGood) return;  // another daemon has made it
  make_if_missing(files.private_key, make_private_key_pem, owner_);
  std::string made;
  try {
    made = make_certificate_pem(read(files.private_key, Privacy::kSecret).value(), local_subject_names(), now);
  } catch (const std::runtime_error& error) {
    throw damaged(files.private_key, error.what());
  }
  write(files.certificate, made, owner_);
}

CertificateFiles StateDirectory::self_signed_certificate(WallTime now) const {
  CertificateFiles files{path_ / "certificate.pem", path_ / "private_key.pem"};
  const CertificateState state = judge(files, now);
  if (state == CertificateState::kGood) return files;
  try {
    make_certificate(files, now);
  } catch (const std::runtime_error& error) {
    if (state != CertificateState::kDue) throw;
    files.renewal_problem = error.what();
  }
  return files;
}

bool has_all_secrets(const std::filesystem::path& state_directory) {
  bool all = true;
  for (const char* name : {"shared_secret", "admin_token", "nonce_key"})
    all = read(state_directory / name, Privacy::kSecret).has_value() && all;
  return all;
}

std::string read_shared_secret(const std::filesystem::path& state_directory) {
  const auto file = secret_file(state_directory);
  auto content = read(file, Privacy::kSecret);
  if (!content) {
    throw std::runtime_error(file.string() + " does not exist yet; start the daemon once, which makes it, or name " +
                             "the daemon's configuration with --config.");
  }
  return checked_text(file, *std::move(content));
}

}  // namespace causeway::app
