#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pubsubsql/value.hpp>

namespace pubsubsql {

class rows;

/// One row of a reply or an event. A view, valid as long as that reply or event stays where it is.
class row {
 public:
  row(const rows& all, std::size_t index) : all_(&all), index_(index) {}

  /// How many columns there are.
  [[nodiscard]] std::size_t size() const;

  /// The value by ordinal, from 0. Throws error (usage) beyond the last column.
  /// A template so that a literal 0 is an ordinal, and no null pointer.
  template <std::integral Ordinal>
  [[nodiscard]] value operator[](Ordinal column) const {
    return at(static_cast<std::size_t>(column));
  }

  /// The value by column name. Throws error (usage) when there is no such column.
  [[nodiscard]] value operator[](std::string_view column) const;
  [[nodiscard]] value operator[](const char* column) const { return (*this)[std::string_view(column)]; }

 private:
  [[nodiscard]] value at(std::size_t column) const;

  const rows* all_;
  std::size_t index_;
};

/// The rows of a reply or an event: a range of row, also by index. All text is held in one buffer.
class rows {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = row;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = row;

    iterator() = default;
    iterator(const rows& all, std::size_t index) : all_(&all), index_(index) {}
    row operator*() const { return {*all_, index_}; }
    iterator& operator++() { return ++index_, *this; }
    iterator operator++(int) { return {*all_, index_++}; }
    bool operator==(const iterator& other) const { return index_ == other.index_; }

   private:
    const rows* all_ = nullptr;
    std::size_t index_ = 0;
  };

  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  [[nodiscard]] std::optional<std::size_t> column(std::string_view name) const;

  [[nodiscard]] std::size_t size() const { return columns_.empty() ? 0 : ends_.size() / columns_.size(); }
  [[nodiscard]] bool empty() const { return ends_.empty(); }
  [[nodiscard]] row operator[](std::size_t index) const { return {*this, index}; }
  [[nodiscard]] iterator begin() const { return {*this, 0}; }
  [[nodiscard]] iterator end() const { return {*this, size()}; }

  /// REQUIRES: row_index < size() and column_index < columns().size().
  [[nodiscard]] value at(std::size_t row_index, std::size_t column_index) const;

  /// Bytes of memory held, for limits.
  [[nodiscard]] std::size_t bytes() const { return text_.size() + ends_.size() * sizeof(std::uint64_t); }

  /// For the protocol: building rows cell by cell. REQUIRES: columns are complete before the first cell.
  void add_column(std::string name) { columns_.push_back(std::move(name)); }
  void add_cell(std::optional<std::string_view> text);
  [[nodiscard]] std::size_t cells() const { return ends_.size(); }

  /// For the protocol: the next batch of the same reply. REQUIRES: the same columns.
  void append(const rows& batch);

 private:
  static constexpr std::uint64_t null_bit = std::uint64_t{1} << 63;

  std::vector<std::string> columns_;
  std::string text_;                 // the values one after the other
  std::vector<std::uint64_t> ends_;  // of each value in text_; null_bit marks NULL
};

}  // namespace pubsubsql
