#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/result.hpp"
#include "server/json_request.hpp"

namespace pubsubsql::server::http {

/// The statements that a request brings, one after the other.
class script {
 public:
  /// Statements separated by `;`. The text outlives the script.
  explicit script(std::string_view text);
  /// Requests in JSON.
  script(std::vector<json_request> requests, bool is_list);

  /// Reads `{"sql": ..., "values": [...]}` or a list of these. An error says what is wrong.
  [[nodiscard]] static result<script, std::string> of_json(std::string_view text);

  /// The next statement, valid as long as the script; nothing: there is none.
  [[nodiscard]] std::optional<std::string_view> next();

  /// Whether there is none at all.
  [[nodiscard]] bool is_empty() const { return is_empty_; }
  /// Whether its answer is a list of results: several statements, or a list as the client made it.
  [[nodiscard]] bool is_list() const { return is_list_; }

 private:
  [[nodiscard]] std::optional<std::string_view> take();

  std::string_view rest_;
  std::vector<json_request> requests_;
  std::size_t taken_ = 0;  // of requests_
  bool is_empty_ = false;
  bool is_list_ = false;
};

}  // namespace pubsubsql::server::http
