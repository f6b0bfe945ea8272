// SPDX-License-Identifier: Apache-2.0
#include "app/process_user.hpp"

#include <grp.h>
#include <pwd.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "causeway/base/printable.hpp"

namespace causeway::app {
namespace {

constexpr std::size_t kEntryBytesMax = 64 * 1024;

std::optional<FileOwner> find_user(const std::string& name) {
  std::vector<char> buffer(kEntryBytesMax);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return FileOwner{entry.pw_uid, entry.pw_gid};
}

// 0, or errno. Groups first: afterwards this process may not change them any more.
int change_to(const std::string& name, const FileOwner& target) {
  if (::initgroups(name.c_str(), target.group) != 0) return errno;
  if (::setresgid(target.group, target.group, target.group) != 0) return errno;
  return ::setresuid(target.user, target.user, target.user) == 0 ? 0 : errno;
}

}  // namespace

ProcessUser::ProcessUser(const std::optional<std::string>& configured)
    : name_(configured.value_or(kDefaultUser)), is_configured_(configured.has_value()) {
  if (::geteuid() != 0) return;
  target_ = find_user(name_);
  if (!target_ && is_configured_) {
    throw std::runtime_error("user: this machine has no user \"" + name_ + "\"; make it (useradd --system " + name_ +
                             "), or name another.");
  }
  if (!target_) {
    why_not_ = "this machine has no user \"" + name_ + "\": make it (useradd --system " + name_ +
               "), or name another with the key user";
  } else if (target_->user == 0) {
    why_not_ = "the key user says so";
    target_.reset();
  }
  // Now, as it is of one thread and those that it starts; the user is of all.
  if (target_ && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    throw std::system_error(errno, std::generic_category(), "prctl(PR_SET_NO_NEW_PRIVS)");
  }
}

void ProcessUser::become(spdlog::logger& logger) const {
  if (!why_not_.empty()) logger.warn("runs as root, because {}", why_not_);
  if (!target_) return;
  if (const int error = change_to(name_, *target_)) {
    const std::string reason = std::generic_category().message(error);
    if (::geteuid() != 0 || ::getegid() != 0 || is_configured_) {
      throw std::runtime_error("user: cannot become \"" + name_ + "\": " + reason +
                               "; give this process CAP_SETUID and CAP_SETGID, or start it as that user.");
    }
    logger.warn("runs as root, because it cannot become user {}: {}", quoted_text(name_), reason);
    return;
  }
  logger.info("started as root, goes on as user {}", quoted_text(name_));
}

std::vector<std::string> unreadable_at_reload(const config::Config& config) {
  std::vector<std::filesystem::path> files;
  const auto add = [&](const std::optional<std::filesystem::path>& file) {
    if (file) files.push_back(*file);
  };
  add(config.file);
  add(config.tls.certificate);
  add(config.tls.private_key);
  add(config.signaling.tokens.jwk_file);
  for (const config::TokenKey& key : config.signaling.tokens.keys)
    add(key.file);
  const bool self_signed = std::ranges::any_of(
      config.listeners, [](const config::Listener& listener) { return needs_certificate(listener.transport); });
  if (self_signed && !config.tls.certificate) {
    files.push_back(config.state_directory / "certificate.pem");
    files.push_back(config.state_directory / "private_key.pem");
  }
  std::vector<std::string> unreadable;
  for (const auto& file : files) {
    if (::access(file.c_str(), R_OK) == 0) continue;
    unreadable.push_back(file.string() + " (" + std::generic_category().message(errno) + ")");
  }
  return unreadable;
}

}  // namespace causeway::app
