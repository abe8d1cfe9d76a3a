#include "parser/statement_cache.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "parser/characters.hpp"
#include "parser/keywords.hpp"
#include "parser/scanner.hpp"
#include "parser/utf8.hpp"

namespace pubsubsql::parser {

namespace {

/// The bytes by which forms are found: enough to tell the verb and, mostly, the table. They must stand before the first
/// value.
constexpr std::size_t lead_bytes = 16;
/// Longer statements and those with more values are rarely repeated in the same form, and take their time anyway.
constexpr std::size_t form_bytes_max = 2'048;
constexpr std::size_t form_values_max = 64;

/// Making a form costs as much as reading a statement four times. Where there is no room for more forms, one statement
/// in so many is looked at as one that may be worth it.
constexpr unsigned statements_per_chance = 16;

constexpr std::uint64_t multiplier = 0x9e3779b97f4a7c15U;  // 2^64 divided by the golden ratio

std::uint64_t word_at(std::string_view text, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, text.data() + at, sizeof word);
  return word;
}

/// What is passed over to find them: statements with values for their `?` differ only behind it.
constexpr std::string_view bound_prefix = "execute immediate '";

std::size_t lead_of(std::string_view text) {
  constexpr std::string_view stream = "stream ";
  std::size_t at = 0;
  if (text.starts_with('s') && text.starts_with(stream)) at = stream.size();
  if (at < text.size() && text[at] == 'e' && text.substr(at).starts_with(bound_prefix)) return at + bound_prefix.size();
  return 0;
}

/// REQUIRES: the text has lead_bytes.
std::uint64_t hash_of_lead(std::string_view text) {
  // Only the highest bits depend on all bytes.
  return ((word_at(text, 0) ^ (word_at(text, 8) * multiplier)) * multiplier) >> 56U;
}

/// Lists the values of a statement for which others may stand: those that stand alone.
class value_list {
 public:
  explicit value_list(std::vector<std::string_view*>& out) : out_(out) {}

  /// Returns false for statements whose values are not all in the tree as they were written.
  bool list(statement_body& body) {
    return std::visit([&](auto& s) { return statement(s); }, body);
  }

 private:
  template <typename Statement>
  bool statement(Statement& s) {
    constexpr bool is_rows = std::is_same_v<Statement, insert_statement> || std::is_same_v<Statement, push_statement> ||
                             std::is_same_v<Statement, publish_statement>;
    constexpr bool is_known = is_rows || std::is_same_v<Statement, update_statement> ||
                              std::is_same_v<Statement, select_statement> ||
                              std::is_same_v<Statement, delete_statement>;
    if constexpr (is_known) parts(s);
    return is_known;
  }

  template <typename Statement>
  void parts(Statement& s) {
    if constexpr (requires { s.rows; }) {
      for (literal& value : s.rows.values) add(value);
      if (s.rows.returning) items(*s.rows.returning);
    }
    if constexpr (requires { s.updates; }) {
      for (assignment& a : s.updates) add(a.value);
    }
    if constexpr (requires { s.query; }) {
      if (s.query != nullptr) query(*s.query);
    }
    if constexpr (requires { s.set; }) {
      for (assignment& a : s.set) add(a.value);
    }
    if constexpr (requires { s.columns.items; }) items(s.columns);
    if constexpr (requires { s.where; }) {
      if (s.where && s.where->predicate != nullptr) add(s.where->predicate);
      if (s.where && s.where->predicate == nullptr) add(s.where->value);
    }
    if constexpr (requires { s.having; }) {
      for (expression* e : s.group_by) add(e);
      add(s.having);
    }
    if constexpr (requires { s.order_by; }) {
      for (order_item& i : s.order_by) add(i.value);
    }
    if constexpr (requires { s.returning; }) {
      if (s.returning) items(*s.returning);
    }
  }

  void query(const select_statement& s) {
    // The tree is the form's own; only its nodes refer to subqueries as to something that does not change.
    parts(const_cast<select_statement&>(s));
  }

  void items(projection& p) {
    for (select_item& i : p.items) add(i.value);
  }

  void add(literal& l) {
    if (l.computed != nullptr) {
      add(l.computed);
    } else if (!l.is_null && !l.is_default) {  // these words belong to the form
      out_.push_back(&l.text);
    }
  }

  void add(expression* e) {
    if (e == nullptr) return;
    if (e->alone) out_.push_back(&e->text);
    for (expression* operand : e->operands) add(operand);
    if (e->subquery != nullptr) query(*e->subquery);
  }

  std::vector<std::string_view*>& out_;
};

/// Whether a bare value is perhaps none. REQUIRES: it begins with what an operator may begin with, as all of them do.
bool is_uncertain(std::string_view value) {
  // The first two may go on with a comparison that stands right before.
  return value.front() == '=' || value.front() == '>' || value.starts_with("--") || value.starts_with("/*") ||
         value.front() == '`' || equals_keyword(value, "null") || equals_keyword(value, "default") ||
         equals_keyword(value, "interval");
}

/// Whether a bare value is a parameter, names the user, or may, in a list, begin a subquery. REQUIRES: not empty.
bool is_special(std::string_view value) {
  constexpr std::string_view select = "select";
  switch (value.front()) {  // nearly all values are told by their first letter
    case '?':
      return value.size() == 1;
    case 'c':
    case 'C':
      return equals_keyword(value, "current_user");
    case 's':
    case 'S':
      return equals_keyword(value.substr(0, select.size()), select);
    default:
      return false;
  }
}

/// Whether a bare value that is an operator, or begins with one, makes an expression of the word before it. Before any
/// other, that word is a value: as `2026=` is in `a = 2026= x`, but not in `a = 2026= -1`.
bool makes_expression(std::string_view before, std::string_view value) {
  constexpr std::string_view arithmetic = "+-*/%|";
  const bool is_operator = !value.empty() && (arithmetic.find(value.front()) != std::string_view::npos ||
                                              equals_keyword(value, "div") || equals_keyword(value, "mod"));
  if (!is_operator) return false;
  constexpr character ends_word = character::white_space | character::list_mark | character::open_parenthesis;
  std::size_t end = before.size();
  while (end > 0 && is_white_space(before[end - 1])) --end;
  if (end == before.size()) return false;
  std::size_t begin = end;
  while (begin > 0 && !is_any_of(before[begin - 1], ends_word)) --begin;
  const std::string_view word = before.substr(begin, end - begin);
  if (word.find_first_not_of("=<>!") == std::string_view::npos) return false;
  const auto is_part = [](char c) { return is_any_of(c, character::name_part); };
  return !is_any_of(word.front(), character::name_start) || !std::ranges::all_of(word, is_part);
}

/// Takes a number that is bound from the start of `text`, as the parser would.
bool take_number(std::string_view& text, std::string_view& out) {
  const std::size_t sign = text.starts_with('-') ? 1 : 0;
  const std::size_t digits = number_bytes(text.substr(sign));
  if (digits == 0) return false;
  out = text.substr(0, sign + digits);
  text.remove_prefix(out.size());
  return true;
}

/// Takes a value from the start of `text`, as the parser would. Returns false when that is not certain.
bool take_value(std::string_view& text, std::string_view& out) {
  if (text.empty()) return false;
  std::size_t behind = 0;
  if (text.front() == '\'') {
    const std::size_t end = text.find('\'', 1);
    if (end == std::string_view::npos) return false;
    behind = end + 1;
    if (behind < text.size() && text[behind] == '\'') return false;  // a doubled quote
    out = text.substr(1, end - 1);
    if (find_invalid_utf8(out) != std::string_view::npos) return false;
  } else {
    constexpr character stop = character::white_space | character::list_mark | character::open_parenthesis;
    unsigned char all = 0;
    for (; behind < text.size() && !is_any_of(text[behind], stop); ++behind) {
      all |= static_cast<unsigned char>(text[behind]);
    }
    if (behind < text.size() && text[behind] == '(') return false;  // perhaps a call
    // A `;` at the end belongs to the value, unless it ends the statement: then the form goes on with it.
    while (behind > 0 && text[behind - 1] == ';') --behind;
    out = text.substr(0, behind);
    if (out.empty() || (is_any_of(out.front(), character::arithmetic | character::comparison) && is_uncertain(out))) {
      return false;
    }
    if (is_special(out)) return false;
    if (all >= 0x80 && find_invalid_utf8(out) != std::string_view::npos) return false;
  }
  text.remove_prefix(behind);
  return true;
}

/// Keeps those values that stand in `list`. Others are a part of the statement that they are bound in, or had quotes in
/// them. Returns whether there were any.
bool keep_bound(std::vector<std::string_view*>& values, std::string_view list) {
  const std::less_equal<> before;
  return std::erase_if(values, [&](const std::string_view* v) {
           return !before(list.data(), v->data()) || !before(v->data(), list.data() + list.size());
         }) > 0;
}

}  // namespace

/// Where the values of a statement stand in its text.
struct statement_cache::outline {
  struct slot {
    std::string_view before;  // what stands between the value before and this one
    std::string_view* value = nullptr;
  };
  std::vector<slot> slots;
  std::string_view rest;   // behind the last value
  bool is_bound = false;   // the values are those behind `using`
  bool has_fixed = false;  // there are values that are not exchanged

  /// Returns nothing if the statement's values cannot be exchanged.
  static std::optional<outline> of(std::string_view text, statement& tree);
  [[nodiscard]] std::uint64_t fingerprint() const;
};

/// A statement that was sent twice, with its values exchanged for those of the last one.
struct statement_cache::form {
  explicit form(std::string_view sql) : text(sql), tree(*parser::parse(text, arena)), parts(*outline::of(text, tree)) {
    static std::atomic<std::uint64_t> last_number = 0;
    tree.form = last_number.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  /// Appends the values of a statement of this form; false, and nothing is appended, if it is of another.
  [[nodiscard]] bool read(std::string_view sql, std::vector<std::string_view>& values) const;
  /// Puts values into the tree.
  void put(std::span<const std::string_view> values);

  std::string text;
  statement_arena arena;
  statement tree;
  outline parts;
};

std::optional<statement_cache::outline> statement_cache::outline::of(std::string_view text, statement& tree) {
  std::vector<std::string_view*> values;
  if (!value_list(values).list(tree.body) || values.size() > form_values_max) return std::nullopt;
  std::ranges::sort(values, std::less<>(), [](const std::string_view* v) { return v->data(); });
  outline out{.slots = {}, .rest = text, .is_bound = tree.values_from > 0};
  if (out.is_bound) out.has_fixed = keep_bound(values, text.substr(tree.values_from));
  for (std::string_view* value : values) {
    const char* const begin = value->data();
    if (begin < out.rest.data() || begin > out.rest.data() + out.rest.size()) return std::nullopt;  // a doubled quote
    auto at = static_cast<std::size_t>(begin - out.rest.data());
    const bool quoted = out.rest[at - 1] == '\'';  // a bare value begins behind a blank, a comment, `=`, `,` or `(`
    if (quoted) --at;
    // A bare value would go on with a word that only a quote ends.
    if (at > 0 && is_any_of(out.rest[at - 1], character::name_part)) return std::nullopt;
    if (!quoted && makes_expression(out.rest.substr(0, at), *value)) return std::nullopt;
    out.slots.push_back({.before = out.rest.substr(0, at), .value = value});
    out.rest.remove_prefix(at + value->size() + (quoted ? 2 : 0));
  }
  if (out.slots.empty() || out.slots.front().before.size() < lead_of(text) + lead_bytes) return std::nullopt;
  return out;
}

std::uint64_t statement_cache::outline::fingerprint() const {
  std::uint64_t hash = slots.size();
  const auto mix = [&](std::string_view part) {
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * multiplier;
    hash = (hash ^ (hash >> 29U)) * multiplier;
  };
  for (const slot& s : slots) mix(s.before);
  mix(rest);
  return hash;
}

bool statement_cache::form::read(std::string_view sql, std::vector<std::string_view>& values) const {
  const std::size_t before = values.size();
  values.resize(before + parts.slots.size());
  std::string_view* value = values.data() + before;
  for (const outline::slot& s : parts.slots) {
    if (sql.starts_with(s.before)) {
      sql.remove_prefix(s.before.size());
      const bool is_number = parts.is_bound && !sql.starts_with('\'');
      if (is_number ? take_number(sql, *value++) : take_value(sql, *value++)) continue;
    }
    values.resize(before);
    return false;
  }
  if (sql == parts.rest) return true;
  values.resize(before);
  return false;
}

void statement_cache::form::put(std::span<const std::string_view> values) {
  for (std::size_t i = 0; i < parts.slots.size(); ++i) *parts.slots[i].value = values[i];
}

statement_cache::statement_cache(std::size_t parts_max) : arena_(parts_max) {}
statement_cache::~statement_cache() = default;

statement_cache::bucket* statement_cache::bucket_of(std::string_view sql) {
  const std::string_view lead = sql.substr(lead_of(sql));
  return lead.size() < lead_bytes ? nullptr : &buckets_[hash_of_lead(lead) % bucket_count];
}

statement_cache::form* statement_cache::recognise(std::string_view sql, std::vector<std::string_view>& values) {
  bucket* const b = bucket_of(sql);
  if (b == nullptr) return nullptr;
  for (auto f = b->begin(); f != b->end() && *f; ++f) {
    if (!(*f)->read(sql, values)) continue;
    form* const found = f->get();
    if (f != b->begin()) std::iter_swap(f, std::prev(f));
    return found;
  }
  return nullptr;
}

std::span<const statement_cache::expected_statement> statement_cache::expect(std::span<const std::string_view> next) {
  ahead_.clear();
  values_ahead_.clear();
  next_ahead_ = 0;
  for (const std::string_view sql : next) {
    const std::size_t first = values_ahead_.size();
    ahead_.push_back({.sql = sql, .of = recognise(sql, values_ahead_), .first_value = first});
  }
  expected_.clear();
  const std::span<const std::string_view> values = values_ahead_;
  for (const read_ahead& a : ahead_) {
    if (a.of == nullptr || a.of->parts.has_fixed) continue;
    expected_.push_back({.like = &a.of->tree, .values = values.subspan(a.first_value, a.of->parts.slots.size())});
  }
  return expected_;
}

const statement* statement_cache::parse(std::string_view sql) {
  if (next_ahead_ < ahead_.size()) {
    const read_ahead& a = ahead_[next_ahead_++];
    if (a.sql.data() != sql.data() || a.sql.size() != sql.size()) {
      ahead_.clear();
    } else if (a.of != nullptr) {
      forget_last();
      a.of->put(std::span(values_ahead_).subspan(a.first_value));
      return &a.of->tree;
    }
  }
  values_.clear();
  if (form* const f = recognise(sql, values_)) {
    forget_last();
    f->put(values_);
    return &f->tree;
  }
  forget_last();
  auto parsed = parser::parse(sql, arena_);
  if (!parsed) {
    error_ = parsed.error();
    arena_.reset();
    return nullptr;
  }
  statement_ = std::move(*parsed);
  bucket* const b = bucket_of(sql);
  if (b != nullptr && sql.size() <= form_bytes_max && has_a_chance(*b)) learn(sql, *b);
  return &*statement_;
}

/// Frees what a statement of no known form has used: a large one can have used much.
void statement_cache::forget_last() {
  if (!statement_) return;
  statement_.reset();
  arena_.reset();
}

bool statement_cache::has_a_chance(const bucket& b) {
  return b.back() == nullptr || ++chances_missed_ % statements_per_chance == 0;
}

void statement_cache::learn(std::string_view sql, bucket& into) {
  const auto parts = outline::of(sql, *statement_);
  if (!parts) return;
  const std::uint64_t fingerprint = parts->fingerprint();
  std::uint64_t& seen = seen_[fingerprint % seen_.size()];
  if (std::exchange(seen, fingerprint) != fingerprint) return;
  auto made = std::make_unique<form>(sql);
  values_.clear();
  if (!made->read(sql, values_)) return;  // as with a value that ends in `;`
  ahead_.clear();                         // it may be the form of one of those that is given up now
  std::shift_right(into.begin(), into.end(), 1);
  into.front() = std::move(made);
}

}  // namespace pubsubsql::parser
