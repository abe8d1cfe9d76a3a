#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/metrics/statement_mark.hpp"
#include "server/metrics/worker_counters.hpp"

namespace pubsubsql::server {

/// Counts and times the statements of one worker's sessions. Used by its worker's thread only.
///
/// A statement is taken, recognised, and either answered while it runs or handed over, to be answered later. Not every
/// one is timed: the first of those that were read together is, and of the others one in sampled_one_in, which then
/// stands for so many. A client that waits for each reply has all its statements timed that way, and one that sends
/// thousands at a time pays for few looks at the clock. With a log of slow statements, each one is timed.
class statement_watch {
 public:
  static constexpr std::uint16_t sampled_one_in = 16;
  /// What the log shows of a statement's text.
  static constexpr std::size_t text_bytes_max = 1U << 10;

  /// `counters` outlives this. `slow_ns`: what takes so long is reported as slow; 0: nothing is.
  statement_watch(worker_counters& counters, std::int64_t slow_ns) : counters_(counters), slow_ns_(slow_ns) {}

  /// What a reply says.
  struct answer {
    bool is_error = false;
    std::uint64_t rows = 0;  ///< only looked at if logs_slow_ones()
  };
  /// A statement that took too long.
  struct slow_statement {
    std::int64_t duration_ns = 0;
    std::string text;  ///< as it may be shown
    answer answered;
  };

  [[nodiscard]] bool logs_slow_ones() const { return slow_ns_ > 0; }

  // In this order

  /// Statements that have been read together are taken next.
  void begin_batch() {
    is_first_ = true;
    last_ns_ = 0;
  }

  /// A statement is taken.
  void taken() {
    weight_ = 0;
    answer_ = {};
    const bool is_first = is_first_;
    is_first_ = false;
    if (is_first || slow_ns_ > 0) return time(1);
    if (++untimed_ < sampled_one_in) return;
    untimed_ = 0;
    time(sampled_one_in);
  }

  /// It is of this kind. `sql` stays until ended(), and slow() behind it.
  void recognised(verb kind, std::string_view sql) {
    is_running_ = true;
    kind_ = kind;
    sql_ = sql;
    ++counters_.statements[kind];
  }

  /// What was recognised last stands for a statement of this kind, which was prepared.
  void stands_for(verb kind) {
    --counters_.statements[kind_];
    kind_ = kind;
    ++counters_.statements[kind];
  }

  /// It is answered now.
  void answered(const answer& a) {
    if (!is_running_) return;
    answer_ = a;
    if (a.is_error) ++counters_.errors[kind_];
  }

  /// It will be answered later, for which this is to be kept.
  [[nodiscard]] statement_mark hand_over();

  /// What it did is done. Returns whether it has been answered and was slow.
  [[nodiscard]] bool ended() {
    const bool is_timed = weight_ > 0 && is_running_;
    is_running_ = false;
    if (is_timed) return end_timed();
    last_ns_ = 0;
    return false;
  }

  /// The statement of which ended() said that it was slow.
  [[nodiscard]] slow_statement slow() const;

  // Later

  /// A statement that was handed over is answered. Returns something if it was slow.
  [[nodiscard]] std::optional<slow_statement> answered(const statement_mark& m, const answer& a);

 private:
  void time(std::uint16_t weight);
  [[nodiscard]] bool end_timed();
  [[nodiscard]] bool count(std::int64_t duration_ns, std::uint16_t weight);

  worker_counters& counters_;
  std::int64_t slow_ns_;
  std::int64_t last_ns_ = 0;  // the clock at the end of the last statement, if that was timed; 0: unknown
  bool is_first_ = false;     // of those that were read together
  std::uint16_t untimed_ = 0;

  // The statement that was taken last
  bool is_running_ = false;  // recognised, and neither handed over nor ended
  verb kind_ = 0;
  std::uint16_t weight_ = 0;  // as statement_mark has it
  std::int64_t started_ns_ = 0;
  std::string_view sql_;
  answer answer_;
};

/// A statement's text as logs may show it: cut, on one line in quotes, and nothing of one that may hold a password.
[[nodiscard]] std::string shown_statement(std::string_view sql, verb kind);

}  // namespace pubsubsql::server
