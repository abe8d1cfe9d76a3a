#include "storage/access/token.hpp"

#include <algorithm>
#include <ctime>

#include <sodium.h>

#include "parser/bound_text.hpp"
#include "parser/scanner.hpp"
#include "parser/utf8.hpp"

namespace pubsubsql::access {

namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::size_t secret_characters = 43;  // of them in base64url, without padding
constexpr std::size_t id_digits = 12;
constexpr int base64_variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
static_assert(sodium_base64_ENCODED_LEN(secret_bytes, base64_variant) == secret_characters + 1);
static_assert(std::tuple_size_v<token_hash> == crypto_hash_sha256_BYTES);

constexpr const char* time_format = "%Y-%m-%d %H:%M:%S";

bool is_base64url(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// Reads `token for 'U' hash 'H' label 'L' created 'T' expires 'T'`, of which label and expires may be missing.
class token_reader {
 public:
  explicit token_reader(std::string_view line) : scanner_(line, arena_) {}

  bool read(token_line& out) {
    std::string_view user;
    token& t = out.of_user;
    if (!keyword("token") || !keyword("for") || !text(user, "the name of a user in quotes")) return false;
    out.user = user;
    if (!keyword("hash") || !hash(t.hash)) return false;
    if (std::string_view label; scanner_.accept_keyword("label")) {
      if (!text(label, "a label in quotes")) return false;
      t.label = label;
    }
    if (!keyword("created") || !time(t.created_s)) return false;
    if (scanner_.accept_keyword("expires") && !time(t.expires_s)) return false;
    return scanner_.at_end() || fail("the end of the line");
  }

  [[nodiscard]] std::string problem() const {
    return "expected " + expected_ + " at byte " + std::to_string(at_ + 1) + " of the line";
  }

 private:
  bool fail(std::string expected) {
    expected_ = std::move(expected);
    at_ = scanner_.offset();
    return false;
  }

  bool keyword(std::string_view word) { return scanner_.accept_keyword(word) || fail("`" + std::string(word) + "`"); }

  bool text(std::string_view& out, const char* expected) { return scanner_.accept_text(out) || fail(expected); }

  bool hash(token_hash& out) {
    const std::size_t start = scanner_.offset();
    std::string_view digits;
    if (scanner_.accept_text(digits)) {
      if (const auto found = hash_from_hex(digits)) {
        out = *found;
        return true;
      }
    }
    scanner_.rewind(start);
    return fail("the SHA-256 of a token, 64 hexadecimal digits in quotes");
  }

  bool time(std::int64_t& out) {
    const std::size_t start = scanner_.offset();
    std::string_view written;
    if (scanner_.accept_text(written)) {
      if (const auto found = parse_time(written)) {
        out = *found;
        return true;
      }
    }
    scanner_.rewind(start);
    return fail("a time such as '2026-11-21 21:40:00'");
  }

  parser::statement_arena arena_;
  parser::scanner scanner_;
  std::string expected_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::string> new_token() {
  if (sodium_init() < 0) return std::nullopt;
  std::array<unsigned char, secret_bytes> random{};
  std::array<char, secret_characters + 1> characters{};
  randombytes_buf(random.data(), random.size());
  sodium_bin2base64(characters.data(), characters.size(), random.data(), random.size(), base64_variant);
  sodium_memzero(random.data(), random.size());
  return std::string(token_prefix) + characters.data();
}

bool is_token(std::string_view secret) {
  if (!secret.starts_with(token_prefix)) return false;
  secret.remove_prefix(token_prefix.size());
  return secret.size() == secret_characters && std::ranges::all_of(secret, is_base64url);
}

token_hash hash_token(std::string_view secret) {
  token_hash out{};
  crypto_hash_sha256(out.data(), reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
  return out;
}

bool are_equal(const token_hash& a, const token_hash& b) {
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(const token_hash& hash) {
  std::string out(2 * hash.size() + 1, '\0');
  sodium_bin2hex(out.data(), out.size(), hash.data(), hash.size());
  out.pop_back();
  return out;
}

std::optional<token_hash> hash_from_hex(std::string_view digits) {
  token_hash out{};
  std::size_t bytes = 0;
  if (digits.size() != 2 * out.size()) return std::nullopt;
  const int failed = sodium_hex2bin(out.data(), out.size(), digits.data(), digits.size(), nullptr, &bytes, nullptr);
  if (failed != 0 || bytes != out.size()) return std::nullopt;
  return out;
}

std::string id_of(const token& t) {
  return to_hex(t.hash).substr(0, id_digits);
}

std::string print_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  std::array<char, 64> out{};
  ::gmtime_r(&time, &parts);
  return {out.data(), std::strftime(out.data(), out.size(), time_format, &parts)};
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  const std::string terminated(text);
  std::tm parts{};
  const char* const end = ::strptime(terminated.c_str(), time_format, &parts);
  if (end != terminated.c_str() + terminated.size()) return std::nullopt;
  return ::timegm(&parts);
}

std::string print_token(std::string_view user, const token& t) {
  std::string out = "token for ";
  parser::append_quoted(out, user);
  out += " hash '" + to_hex(t.hash) + "'";
  if (!t.label.empty()) {
    out += " label ";
    parser::append_quoted(out, t.label);
  }
  out += " created '" + print_time(t.created_s) + "'";
  if (t.expires_s != 0) out += " expires '" + print_time(t.expires_s) + "'";
  return out;
}

bool begins_as_token(std::string_view line) {
  parser::statement_arena arena;
  return parser::scanner(line, arena).keyword_follows("token");
}

std::optional<token_line> parse_token(std::string_view line, std::string& problem) {
  if (parser::find_invalid_utf8(line) != std::string_view::npos) {
    problem = "the line is not UTF-8";
    return std::nullopt;
  }
  token_line out;
  token_reader reader(line);
  if (reader.read(out)) return out;
  problem = reader.problem();
  return std::nullopt;
}

}  // namespace pubsubsql::access
