// SPDX-License-Identifier: Apache-2.0
// A value or the reason why there is none. Errors of the core are enums or small structs of the calling folder.
// Test it, then read *result or result.error(); value() is only for errors that are exceptions or error codes.
#pragma once

#include <boost/system/result.hpp>

namespace causeway {

template <class T, class E>
using Result = boost::system::result<T, E>;

}  // namespace causeway
