#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <absl/container/inlined_vector.h>

#include "storage/matching/row_filter.hpp"
#include "storage/outcome.hpp"

namespace pubsubsql::storage::matching {

class column_list;
struct column_filters;

/// Subscriptions that get the same events, by rising pubsubid.
struct subscription_group {
  absl::InlinedVector<event_target, 1> targets;
  column_filters* of = nullptr;   ///< `column = text` and all columns: those of that column
  std::uint64_t events : 61 = 0;  ///< that it has got since it was made
  bool is_live : 1 = false;       ///< a live_query
  bool is_keyed : 1 = false;      ///< some of its subscribers need to know which row an event is about
  bool is_over : 1 = false;       ///< it has cost too much (match_budget): nobody is told anything by it any more
};

/// Those with any other predicate, or with a column list.
struct filtered_group : subscription_group {
  std::uint64_t number = 0;            ///< rises from group to group
  std::string key;                     ///< predicate and list, as no other group has them
  std::unique_ptr<row_filter> filter;  ///< nullptr: every row matches
  column_list* list = nullptr;         ///< nullptr: all columns

  // Which look-up met the group last, and which found that it matches.
  std::uint64_t met = 0;
  std::uint64_t matched = 0;
};

}  // namespace pubsubsql::storage::matching
