#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast.hpp"
#include "storage/access/token.hpp"

namespace pubsubsql::access {

/// Of these there are at most so many: what is kept of them is small, and nobody has more for good reasons.
inline constexpr std::size_t users_max = 10'000;
inline constexpr std::size_t grants_per_user_max = 1'000;
inline constexpr std::size_t user_name_bytes_max = 64;

/// The users with their passwords' hashes and what they have been granted, as plain data. Changed by statements.
class user_list {
 public:
  struct grant {
    parser::right_set rights;
    std::string table;  ///< empty: all tables, or none for admin
    std::string where;  ///< as it is printed behind the user; empty: all rows
  };
  struct user {
    /// Never given to another user in this process: whoever is made after one of the same name was dropped is another.
    std::uint64_t identity = 0;
    std::string name;
    std::string hash;
    std::vector<grant> grants;  ///< no two with the same table and where
    std::vector<token> tokens;  ///< in the order in which they were made
  };

  /// Runs `create user`, `alter user`, `drop user`, `grant` or `revoke`. Returns why it cannot be done, if so; then
  /// nothing is changed. REQUIRES: a secret is a hash.
  [[nodiscard]] std::optional<std::string> apply(const parser::statement& s);

  /// Gives a user a token. Returns why it cannot be done, if so.
  [[nodiscard]] std::optional<std::string> add_token(std::string_view name, token t);
  /// Takes the token away of which `id` is id_of(), or a longer beginning of its hash. Returns why not, if so.
  [[nodiscard]] std::optional<std::string> remove_token(std::string_view name, std::string_view id);

  /// Who has the name of a user of `before` is that user.
  void keep_identities_of(const user_list& before);

  [[nodiscard]] const user* find(std::string_view name) const;
  /// In the order in which they were made.
  [[nodiscard]] const std::vector<user>& users() const { return users_; }

 private:
  using problem = std::optional<std::string>;

  problem run(const parser::create_user_statement& s);
  problem run(const parser::drop_user_statement& s);
  problem run(const parser::grant_statement& s);
  problem run(const parser::revoke_statement& s);
  template <typename Other>
  problem run(const Other&) {
    return "only create user, alter user, drop user, grant and revoke are about users";
  }
  [[nodiscard]] user* find_for_change(std::string_view name);

  std::vector<user> users_;
};

/// Whether both are the same user, who shows the same to be let in: his password and his tokens.
[[nodiscard]] bool have_same_credentials(const user_list::user& a, const user_list::user& b);

/// The statement that makes a user, and those that grant what he has, as they can be read back.
[[nodiscard]] std::string creation_of(const user_list::user& u);
[[nodiscard]] std::vector<std::string> grants_of(const user_list::user& u);

}  // namespace pubsubsql::access
