#include "storage/index_ranges.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pubsubsql::storage {

namespace {

/// Lists of values multiply; further columns are left to the look at the rows from here on.
constexpr std::size_t ranges_max = 1000;

const column_atom* find_atom(std::span<const column_atom> atoms, column_index column, column_atom::kind demands) {
  const auto it =
      std::ranges::find_if(atoms, [&](const column_atom& a) { return a.column == column && a.demands == demands; });
  return it == atoms.end() ? nullptr : &*it;
}

void raise(std::string& first, std::string bound) {
  if (bound > first) first = std::move(bound);
}

void lower(std::string& last, std::string bound) {
  if (last.empty() || bound < last) last = std::move(bound);
}

/// Makes the ranges of one column behind given keys of the columns before it.
class column_ranges {
 public:
  column_ranges(const ordered_index& index, std::size_t place, std::string_view before)
      : index_(index), place_(place), before_(before) {}

  [[nodiscard]] std::string key(const value& v) const {
    std::string key = before_;
    index_.append_key(key, place_, v);
    return key;
  }

  /// Appends what is not NULL and within the bounds of a range, or every text and number without one.
  void append(const column_atom* range, std::vector<key_range>& out) const {
    const key_range all{.first = after_prefix(key(std::nullopt)), .last = after_prefix(before_)};
    if (!index_.is_untyped(place_)) return append(narrowed(all, range), out);
    const std::string first_text = key("");
    append(numbers({.first = all.first, .last = first_text}, range), out);
    append(texts({.first = first_text, .last = all.last}, range), out);
  }

 private:
  static void append(key_range range, std::vector<key_range>& out) {
    if (range.last.empty() || range.first < range.last) out.push_back(std::move(range));
  }

  void narrow_lower(key_range& r, std::string_view text, bool inclusive) const {
    std::string bound = key(text);
    raise(r.first, inclusive ? std::move(bound) : after_prefix(bound));
  }
  void narrow_upper(key_range& r, std::string_view text, bool inclusive) const {
    std::string bound = key(text);
    lower(r.last, inclusive ? after_prefix(bound) : std::move(bound));
  }

  key_range narrowed(key_range r, const column_atom* range) const {
    if (range == nullptr) return r;
    if (range->lower) narrow_lower(r, range->lower->text, range->lower->inclusive);
    if (range->upper) narrow_upper(r, range->upper->text, range->upper->inclusive);
    return r;
  }

  /// Numbers come before the smallest text.
  [[nodiscard]] bool is_number(const std::string& text) const { return key(text) < key(""); }

  key_range numbers(key_range r, const column_atom* range) const {
    if (range == nullptr) return r;
    if (range->lower && is_number(range->lower->text)) {
      narrow_lower(r, range->lower->text, range->lower->inclusive);
    }
    // A text is above all numbers, so it bounds nothing here.
    if (range->upper) narrow_upper(r, range->upper->text, range->upper->inclusive);
    return r;
  }

  /// No text that is no number equals one that is, so the first text behind a number's stands for the number.
  [[nodiscard]] std::string as_text(const std::string& text) const { return is_number(text) ? text + '\0' : text; }

  key_range texts(key_range r, const column_atom* range) const {
    if (range == nullptr) return r;
    if (range->lower) {
      const std::string& text = range->lower->text;
      narrow_lower(r, as_text(text), range->lower->inclusive || is_number(text));
    }
    if (range->upper) {
      const std::string& text = range->upper->text;
      narrow_upper(r, as_text(text), range->upper->inclusive && !is_number(text));
    }
    return r;
  }

  const ordered_index& index_;
  const std::size_t place_;
  const std::string before_;
};

class range_finder {
 public:
  range_finder(const ordered_index& index, std::span<const column_atom> atoms) : index_(index), atoms_(atoms) {}

  index_ranges find() {
    for (std::size_t place = 0; place < index_.columns().size(); ++place) {
      if (add_equal(place)) continue;
      add_range(place);
      break;
    }
    if (found_.ranges.empty() && !ended_) {
      for (const std::string& key : keys_) found_.ranges.push_back({.first = key, .last = after_prefix(key)});
    }
    return std::move(found_);
  }

 private:
  bool add_equal(std::size_t place) {
    const column_index column = index_.columns()[place];
    const column_atom* equal = find_atom(atoms_, column, column_atom::kind::equal);
    const column_atom* null = equal == nullptr ? find_atom(atoms_, column, column_atom::kind::is_null) : nullptr;
    if (equal == nullptr && null == nullptr) return false;
    if (equal != nullptr && keys_.size() * equal->values.size() > ranges_max) return false;
    std::vector<std::string> keys;
    for (const std::string& before : keys_) {
      const column_ranges column_of(index_, place, before);
      if (null != nullptr) {
        keys.push_back(column_of.key(std::nullopt));
      } else {
        for (const std::string& v : equal->values) keys.push_back(column_of.key(v));
      }
    }
    std::ranges::sort(keys);
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    keys_ = std::move(keys);
    found_.used.push_back(equal != nullptr ? equal : null);
    found_.depth = place + 1;
    if (keys_.size() == 1) found_.fixed = place + 1;
    if (equal != nullptr && equal->values.size() > 1) found_.only_equal = false;
    return true;
  }

  void add_range(std::size_t place) {
    const column_index column = index_.columns()[place];
    const column_atom* range = find_atom(atoms_, column, column_atom::kind::range);
    const column_atom* not_null =
        range == nullptr ? find_atom(atoms_, column, column_atom::kind::is_not_null) : nullptr;
    if (range == nullptr && not_null == nullptr) return;
    for (const std::string& before : keys_) column_ranges(index_, place, before).append(range, found_.ranges);
    ended_ = true;
    found_.used.push_back(range != nullptr ? range : not_null);
    found_.depth = place + 1;
    found_.only_equal = false;
  }

  const ordered_index& index_;
  const std::span<const column_atom> atoms_;
  std::vector<std::string> keys_ = {{}};  // of the columns with equality, rising
  bool ended_ = false;                    // by a range, which may be empty
  index_ranges found_;
};

}  // namespace

index_ranges find_ranges(const ordered_index& index, std::span<const column_atom> atoms) {
  return range_finder(index, atoms).find();
}

}  // namespace pubsubsql::storage
