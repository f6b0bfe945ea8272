// SPDX-License-Identifier: Apache-2.0
#include "app/state_directory.hpp"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

// nullopt when there is no such file.
std::optional<std::string> read(const std::filesystem::path& file) {
  const Descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (descriptor.get() < 0) {
    if (errno == ENOENT) return std::nullopt;
    throw failure(file, "read", errno);
  }
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

// Under the lock: whoever reads `file` sees all of it or none, also after a crash.
void write(const std::filesystem::path& file, std::string_view content) {
  const std::filesystem::path draft = file.string() + ".new";
  ::unlink(draft.c_str());  // of a start that was cut off
  try {
    const Descriptor descriptor{::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (descriptor.get() < 0) throw failure(file, "written", errno);
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
  explicit Lock(const std::filesystem::path& directory)
      : descriptor_(::open((directory / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    int result = descriptor_.get();
    if (result >= 0) {
      do {
        result = ::flock(descriptor_.get(), LOCK_EX);  // the other daemon holds it for some milliseconds
      } while (result != 0 && errno == EINTR);
    }
    if (result < 0) throw failure(directory / "lock", "locked", errno);
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

std::string read_or_make(const std::filesystem::path& file, const std::function<std::string()>& make) {
  if (auto content = read(file)) return *std::move(content);
  std::string content = make();
  write(file, content);
  return content;
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

}  // namespace

StateDirectory::StateDirectory(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  if (std::filesystem::is_directory(path_, error)) return;
  std::filesystem::create_directories(path_.parent_path(), error);
  if (error) throw failure(path_, "made", error.value());
  if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) throw failure(path_, "made", errno);
  if (!std::filesystem::is_directory(path_, error)) throw failure(path_, "used as a folder", ENOTDIR);
}

KeptSecrets StateDirectory::secrets() const {
  const Lock lock{path_};
  KeptSecrets kept;
  const auto shared_secret = path_ / "shared_secret";
  kept.shared_secret = checked_text(shared_secret, read_or_make(shared_secret, random_text));
  kept.admin_token = checked_text(admin_token_file(), read_or_make(admin_token_file(), random_text));
  const std::string nonce_key = read_or_make(path_ / "nonce_key", random_octets);
  if (nonce_key.size() != kept.nonce_key.size()) throw damaged(path_ / "nonce_key", "it has not 32 octets");
  std::ranges::copy(as_bytes(nonce_key), kept.nonce_key.begin());
  return kept;
}

CertificateFiles StateDirectory::self_signed_certificate(WallTime now) const {
  const Lock lock{path_};
  const CertificateFiles files{path_ / "certificate.pem", path_ / "private_key.pem"};
  const std::optional<std::string> kept = read(files.certificate);
  std::optional<std::string> key = read(files.private_key);
  if (!key && kept) throw damaged(files.certificate, "the private key beside it is missing");
  // The key comes first and stays, so that at every moment the pair fits.
  if (!key) {
    key = make_private_key_pem();
    write(files.private_key, *key);
  }
  std::string made;
  try {
    if (kept) {
      const CertificateFacts facts = inspect_certificate(*kept, *key);
      // One that an authority issued was put here by the operator, and is the operator's to renew.
      if (!facts.is_self_issued || facts.not_after > now + kCertificateRenewal) return files;
    }
    made = make_certificate_pem(*key, local_subject_names(), now);
  } catch (const std::runtime_error& error) {
    throw damaged(kept ? files.certificate : files.private_key, error.what());
  }
  write(files.certificate, made);
  return files;
}

std::string read_shared_secret(const std::filesystem::path& state_directory) {
  const auto file = state_directory / "shared_secret";
  auto content = read(file);
  if (!content) {
    throw std::runtime_error(file.string() + " does not exist yet; start the daemon once, which makes it, or name " +
                             "the daemon's configuration with --config.");
  }
  return checked_text(file, *std::move(content));
}

}  // namespace causeway::app
