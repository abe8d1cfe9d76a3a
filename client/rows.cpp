#include <algorithm>

#include <pubsubsql/rows.hpp>

namespace pubsubsql {

std::size_t row::size() const {
  return all_->columns().size();
}

value row::at(std::size_t column) const {
  if (column >= size()) {
    throw error(errc::usage,
                "column " + std::to_string(column) + " asked of a row that has " + std::to_string(size()) + " columns");
  }
  return all_->at(index_, column);
}

value row::operator[](std::string_view column) const {
  if (const auto ordinal = all_->column(column)) return all_->at(index_, *ordinal);
  std::string there;
  for (const std::string& name : all_->columns()) there += (there.empty() ? "" : ", ") + name;
  throw error(errc::usage, "no column '" + std::string(column) + "' here; there are: " + there);
}

std::optional<std::size_t> rows::column(std::string_view name) const {
  const auto found = std::find(columns_.begin(), columns_.end(), name);
  if (found == columns_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns_.begin());
}

value rows::at(std::size_t row_index, std::size_t column_index) const {
  const std::size_t cell = row_index * columns_.size() + column_index;
  const std::uint64_t begin = cell == 0 ? 0 : ends_[cell - 1] & ~null_bit;
  const std::uint64_t end = ends_[cell];
  if ((end & null_bit) != 0) return {std::nullopt, columns_[column_index]};
  return {std::string_view(text_).substr(begin, end - begin), columns_[column_index]};
}

void rows::add_cell(std::optional<std::string_view> text) {
  if (text) text_.append(*text);
  ends_.push_back(text_.size() | (text ? 0 : null_bit));
}

void rows::append(const rows& batch) {
  const std::uint64_t base = text_.size();
  text_.append(batch.text_);
  for (const std::uint64_t end : batch.ends_) ends_.push_back(end + base);
}

}  // namespace pubsubsql
