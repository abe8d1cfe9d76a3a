#include "tools/bench/request_source.hpp"

#include <algorithm>
#include <utility>

namespace bench {

request_source::request_source(const dialect& speech, std::vector<operation> pattern, std::uint64_t rows)
    : spellings_{{{speech.request(operation::update), static_cast<std::uint32_t>(speech.replies_to(operation::update))},
                  {speech.request(operation::select), static_cast<std::uint32_t>(speech.replies_to(operation::select))},
                  {speech.request(operation::insert), static_cast<std::uint32_t>(speech.replies_to(operation::insert))},
                  {speech.request(operation::publish),
                   static_cast<std::uint32_t>(speech.replies_to(operation::publish))}}},
      pattern_(std::move(pattern)),
      rows_(rows) {}

std::size_t request_source::bytes_max() const {
  std::size_t bytes = 0;
  for (const spelling& s : spellings_) bytes = std::max(bytes, s.form.size());
  return bytes;
}

request_source::request request_source::write_next(char* to) {
  const operation o = pattern_[next_];
  if (++next_ == pattern_.size()) next_ = 0;
  const spelling& s = spellings_[static_cast<std::size_t>(o)];
  s.form.write(to, o == operation::insert ? rows_ + inserted_++ : any_row(), ++requests_);
  return {.bytes = s.form.size(), .replies = s.replies};
}

/// Marsaglia's xorshift; its upper half scaled to the rows.
std::uint64_t request_source::any_row() {
  chance_ ^= chance_ << 13U;
  chance_ ^= chance_ >> 7U;
  chance_ ^= chance_ << 17U;
  return ((chance_ >> 32U) * rows_) >> 32U;
}

}  // namespace bench
