// SPDX-License-Identifier: Apache-2.0
#include "causeway/turn/quota.hpp"

namespace causeway::turn {

Result<Quota::Hold, QuotaError> Quota::acquire(const std::string& user) {
  if (total_max_ != 0 && total_ >= total_max_) return QuotaError::kTotal;
  std::uint32_t& held = by_user_[user];
  if (per_user_max_ != 0 && held >= per_user_max_) return QuotaError::kUser;
  ++held;
  ++total_;
  return Hold{this, user};
}

void Quota::Hold::release() noexcept {
  if (quota_ == nullptr) return;
  --quota_->total_;
  const auto found = quota_->by_user_.find(user_);
  if (--found->second == 0) quota_->by_user_.erase(found);
  quota_ = nullptr;
}

}  // namespace causeway::turn
