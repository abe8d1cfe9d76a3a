#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace micro {

/// Something small of the server that is measured alone. What it needs is made with it and does not count.
class subject {
 public:
  virtual ~subject() = default;
  /// Called before each run(); does not count either.
  virtual void prepare() {}
  /// Does it so many times: as its description says.
  virtual void run(std::size_t operations) = 0;
};

/// How a subject is called and made, and how often it is done where it is counted and not timed.
struct subject_description {
  std::string name;
  std::size_t operations = 0;
  std::function<std::unique_ptr<subject>()> make;
};

/// Appends the subjects of each stage of a request's journey.
void add_parser_subjects(std::vector<subject_description>& to);
void add_engine_subjects(std::vector<subject_description>& to);
void add_index_subjects(std::vector<subject_description>& to);
void add_output_subjects(std::vector<subject_description>& to);

[[nodiscard]] inline std::vector<subject_description> all_subjects() {
  std::vector<subject_description> all;
  add_parser_subjects(all);
  add_engine_subjects(all);
  add_index_subjects(all);
  add_output_subjects(all);
  return all;
}

/// Where results go that nobody else looks at, so that they are computed all the same.
inline volatile std::uint64_t unused_result = 0;

}  // namespace micro
