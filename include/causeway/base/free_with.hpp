// SPDX-License-Identifier: Apache-2.0
// A deleter for memory of a C library: std::unique_ptr<EVP_MD, FreeWith<EVP_MD_free>>.
#pragma once

namespace causeway {

template <auto kFree>
struct FreeWith {
  template <class T>
  void operator()(T* owned) const noexcept {
    kFree(owned);
  }
};

}  // namespace causeway
