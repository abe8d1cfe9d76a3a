#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "parser/ast.hpp"
#include "server/connection_output.hpp"
#include "server/row_conflater.hpp"

namespace pubsubsql::server {

/// What became of events of subscribers that were too slow. Counts begin at the start of the server.
struct slow_counts {
  std::uint64_t disconnects = 0;  ///< connections ended
  std::uint64_t conflated = 0;    ///< events that later ones took the place of
  std::uint64_t dropped = 0;      ///< events left out
  std::uint64_t gaps = 0;         ///< times that subscribers were told so

  slow_counts& operator+=(const slow_counts& other) {
    disconnects += other.disconnects;
    conflated += other.conflated;
    dropped += other.dropped;
    gaps += other.gaps;
    return *this;
  }
};

/// The subscriptions of one connection that do not end it when it is slow: what they keep back while its output is
/// full, and how they go on when there is room. A connection without such subscriptions has no such object. Sans-io;
/// used by its worker's thread only.
///
/// A subscription with `drop` is in turn *live*, *dropping* from the first event left out on, and live again behind
/// the rows that there are then, which are asked of its table's worker for one subscription at a time. With `skip`
/// there are none to ask for.
class slow_subscriptions {
 public:
  struct subscription {
    parser::slow_policy policy{};  ///< not disconnect
    bool skip = false;             ///< it began without rows
    bool tells_positions = false;  ///< its messages do
    unsigned owner = 0;            ///< the worker that has its table
    std::uint64_t lost = 0;        ///< events left out since it is dropping; 0: it is not
    std::uint64_t dropped = 0;     ///< events left out in all
    std::uint64_t conflated = 0;   ///< events that later ones took the place of
    /// While events are folded: the position before the first of them. It is what messages say until all of them are
    /// sent, since not everything behind it has been.
    std::uint64_t reached = 0;
    std::uint64_t latest = 0;  ///< the position of the last event that was folded, or left out
  };

  /// `counts`, of the worker, outlives this.
  explicit slow_subscriptions(slow_counts& counts) : counts_(counts) {}
  slow_subscriptions(const slow_subscriptions&) = delete;
  slow_subscriptions& operator=(const slow_subscriptions&) = delete;

  void add(std::uint64_t pubsubid, const subscription& s) { all_.emplace(pubsubid, s); }
  void forget(std::uint64_t pubsubid);

  /// The subscription, or nullptr when it ends the connection or is none. Valid until one is added.
  [[nodiscard]] subscription* find(std::uint64_t pubsubid);
  /// All, by pubsubid.
  [[nodiscard]] const absl::flat_hash_map<std::uint64_t, subscription>& all() const { return all_; }

  // conflate

  /// Whether events have to be folded behind others, whatever room there is.
  [[nodiscard]] bool is_folding() const { return !conflater_.empty(); }
  /// REQUIRES: `s` is the subscription's.
  void fold(subscription& s, std::uint64_t pubsubid, const encoded_event& e);
  /// Memory of what is folded.
  [[nodiscard]] std::size_t folded_bytes() const { return conflater_.bytes(); }
  /// Moves folded events to the output until so many bytes wait there. Returns whether there were any.
  bool refill(connection_output& out, parser::wire_mode mode, std::size_t unsent_bytes_max);

  // drop

  /// Leaves out so many events, which lead to a position. REQUIRES: `s` is the subscription's.
  void leave_out(subscription& s, std::uint64_t pubsubid, std::size_t events, std::uint64_t position = 0);
  /// Whether something is dropping, and nothing is asked.
  [[nodiscard]] bool has_question() const { return !is_asked_ && !dropping_.empty(); }
  /// A subscription whose rows have to be asked for.
  struct question {
    std::uint64_t pubsubid = 0;
    unsigned owner = 0;
    bool tells_positions = false;
  };
  /// The first that is dropping, while nothing is asked. Those that need no rows go on at once, with a word about their
  /// gap.
  [[nodiscard]] std::optional<question> next_question(connection_output& out, parser::wire_mode mode);
  /// The rows of the subscription that was asked for have come. Nothing happens if it has ended meanwhile.
  /// `position`: what they lead to.
  void go_on(connection_output& out, parser::wire_mode mode, std::uint64_t pubsubid, std::string_view first_rows,
             std::uint64_t position = 0);

 private:
  void tell_gap(connection_output& out, parser::wire_mode mode, std::uint64_t pubsubid, subscription& s,
                std::uint64_t position);

  slow_counts& counts_;
  absl::flat_hash_map<std::uint64_t, subscription> all_;  // by pubsubid
  row_conflater conflater_;
  encoded_event taken_;                  // scratch
  std::vector<std::uint64_t> dropping_;  // in the order in which they began to drop
  bool is_asked_ = false;                // the first of them, or one that has ended since
};

}  // namespace pubsubsql::server
