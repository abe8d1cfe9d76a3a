#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <absl/functional/function_ref.h>

#include "storage/text_hash.hpp"

namespace pubsubsql::storage {

/// By which rights the users have been told of one table's changes. Who comes back may go on only from a position up to
/// which all that this user was told was by the rights that he has now: by others he knows other rows.
///
/// Belongs to the table's subscriptions. It remembers since the server has started; what was told before it takes for
/// told by other rights.
class told_rights {
 public:
  /// `unknown_until`: nobody knows by which rights users were told of positions up to this one.
  explicit told_rights(std::uint64_t unknown_until) : unknown_until_(unknown_until) {}

  /// What a user may be told of.
  struct viewer {
    std::string_view user;
    std::uint64_t rights = 0;  ///< the number of all that he may do, another with each change of it
    std::string rows;          ///< what rows have to meet; empty: nothing
  };

  using is_there_ref = absl::FunctionRef<bool(std::uint64_t pubsubid)>;

  /// The user subscribes while the table is at `position`. Returns from which position on he was told by these rights
  /// only. If it is behind `position`, he may have been told of that one by others, too: the table has to get there
  /// before he is told of a position again.
  [[nodiscard]] std::uint64_t begin(viewer v, std::uint64_t position, is_there_ref is_there);

  /// The subscription that begin() was called for has been made. REQUIRES: nothing was done with it between.
  void add(std::string_view user, std::uint64_t pubsubid, is_there_ref is_there);

 private:
  struct record {
    std::uint64_t rights = 0;
    std::string rows;
    std::uint64_t since = 0;
    std::vector<std::uint64_t> present = {};  // subscriptions that tell by the same rows, and some that have ended
    std::vector<std::uint64_t> former = {};   // those that still tell by others, until their connections end
  };

  void forget_absent(is_there_ref is_there, std::uint64_t position);

  static constexpr std::size_t records_max = 10'000;

  text_map<record> records_;  // by user
  std::size_t forget_at_ = records_max;
  std::uint64_t unknown_until_;
};

}  // namespace pubsubsql::storage
