#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "server/metrics/duration_histogram.hpp"

namespace pubsubsql::server {

/// Writes the text format in which Prometheus reads metrics, version 0.0.4: families of samples, each with its help and
/// type before it. Sans-io.
class exposition {
 public:
  enum class type : std::uint8_t { counter, gauge, histogram };
  using label = std::pair<std::string_view, std::string_view>;

  /// Appends to `out`, which outlives this.
  explicit exposition(std::string& out) : out_(out) {}

  /// Samples that follow are of this family, until the next. REQUIRES: there was none of that name. `name` is a
  /// literal.
  void family(std::string_view name, type t, std::string_view help);

  void sample(std::uint64_t value, std::span<const label> labels = {});
  void sample(double value, std::span<const label> labels = {});
  void sample(std::uint64_t value, const label& l) { sample(value, std::span(&l, 1)); }
  void sample(double value, const label& l) { sample(value, std::span(&l, 1)); }
  /// All samples of a histogram without labels.
  void samples(const duration_histogram& h);

  // A family of one sample

  template <typename Number>
  void counter(std::string_view name, std::string_view help, Number value) {
    family(name, type::counter, help);
    sample(value);
  }
  template <typename Number>
  void gauge(std::string_view name, std::string_view help, Number value) {
    family(name, type::gauge, help);
    sample(value);
  }

 private:
  void begin_sample(std::string_view suffix, std::span<const label> labels);
  void end_sample(std::uint64_t value);
  void end_sample(double value);

  std::string& out_;
  std::string_view name_;
};

}  // namespace pubsubsql::server
