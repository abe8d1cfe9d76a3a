#include "parser/print.hpp"

#include <charconv>

#include "parser/keywords.hpp"
#include "parser/utf8.hpp"

namespace pubsubsql::parser {

namespace {

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

/// Whether a character means itself in a bare value wherever it stands in a script.
bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || byte >= 0x80 ||
         std::string_view("_.@%+:-/").find(c) != std::string_view::npos;
}

class printer {
 public:
  std::string take() { return std::move(out_); }

  void statement_prefix(bool stream) {
    if (stream) out_ += "stream ";
  }

  void operator()(const insert_statement& s) {
    out_ += "insert";
    rows(s.rows);
  }
  void operator()(const push_statement& s) {
    out_ += "push";
    end(s.end);
    rows(s.rows);
  }
  void operator()(const select_statement& s) {
    out_ += "select ";
    columns(s.columns);
    from(s.table);
    where(s.where);
  }
  void operator()(const update_statement& s) {
    out_ += "update " + quote_name(s.table) + " set ";
    for (std::size_t i = 0; i < s.set.size(); ++i) {
      if (i > 0) out_ += ", ";
      out_ += quote_name(s.set[i].column) + " = ";
      value(s.set[i].value);
    }
    where(s.where);
    returning(s.returning);
  }
  void operator()(const delete_statement& s) {
    out_ += "delete";
    from(s.table);
    where(s.where);
    returning(s.returning);
  }
  void operator()(const pop_statement& s) {
    out_ += "pop";
    end(s.end);
    if (s.columns) {
      out_ += ' ';
      columns(*s.columns);
    }
    from(s.table);
  }
  void operator()(const peek_statement& s) {
    out_ += "peek";
    end(s.end);
    out_ += ' ';
    columns(s.columns);
    from(s.table);
  }
  void operator()(const key_statement& s) { out_ += "key " + quote_name(s.table) + ' ' + quote_name(s.column); }
  void operator()(const tag_statement& s) { out_ += "tag " + quote_name(s.table) + ' ' + quote_name(s.column); }
  void operator()(const alter_ack_statement& s) {
    out_ += "alter table " + quote_name(s.table) + " set ack = ";
    out_ += s.ack == ack_mode::committed ? "committed" : "memory";
  }
  void operator()(const subscribe_statement& s) {
    out_ += s.skip ? "subscribe skip *" : "subscribe *";
    from(s.table);
    where(s.where);
  }
  void operator()(const unsubscribe_statement& s) {
    out_ += "unsubscribe";
    from(s.table);
    if (s.pubsubid) out_ += " where pubsubid = " + std::to_string(*s.pubsubid);
  }
  void operator()(const status_statement&) { out_ += "status"; }
  void operator()(const close_statement&) { out_ += "close"; }
  void operator()(const stop_statement&) { out_ += "stop"; }
  void operator()(const show_tables_statement&) { out_ += "show tables"; }
  void operator()(const describe_statement& s) { out_ += "describe " + quote_name(s.table); }
  void operator()(const mysql_connect_statement& s) { out_ += "mysql connect " + quoted(s.address, '\''); }
  void operator()(const mysql_disconnect_statement&) { out_ += "mysql disconnect"; }
  void operator()(const mysql_status_statement&) { out_ += "mysql status"; }
  void operator()(const mysql_tables_statement&) { out_ += "mysql tables"; }
  void operator()(const mysql_subscribe_statement& s) {
    out_ += "mysql subscribe *";
    from(s.table);
    where(s.where);
  }
  void operator()(const mysql_unsubscribe_statement& s) {
    out_ += "mysql unsubscribe";
    from(s.table);
  }
  void operator()(const mysql_check_statement& s) { out_ += "mysql check " + quote_name(s.table); }
  void operator()(const mysql_repair_statement& s) {
    out_ += "mysql repair " + quote_name(s.table);
    if (s.from_mysql) out_ += " from mysql";
  }

  template <typename Other>
  void operator()(const Other&) {}

 private:
  // The end is always written: a column might be called `front`.
  void end(queue_end e) { out_ += e == queue_end::front ? " front" : " back"; }

  void from(std::string_view table) { out_ += " from " + quote_name(table); }

  void value(const literal& l) { out_ += l.is_null ? "null" : quote_value(l.text); }

  void names(const name_list& list) {
    for (std::size_t i = 0; i < list.size(); ++i) out_ += (i > 0 ? ", " : "") + quote_name(list[i]);
  }

  void columns(const projection& p) {
    if (p.all) {
      out_ += '*';
    } else {
      names(p.names);
    }
  }

  void where(const std::optional<condition>& c) {
    if (!c) return;
    out_ += " where " + quote_name(c->column) + " = ";
    value(c->value);
  }

  void returning(const std::optional<projection>& p) {
    if (!p) return;
    out_ += " returning ";
    columns(*p);
  }

  void rows(const row_source& s) {
    out_ += " into " + quote_name(s.table) + " (";
    names(s.columns);
    out_ += ") values ";
    for (std::size_t i = 0; i < s.values.size(); ++i) {
      const std::size_t column = i % s.columns.size();
      out_ += column > 0 ? ", " : i > 0 ? "), (" : "(";
      value(s.values[i]);
    }
    out_ += ')';
    returning(s.returning);
  }

  std::string out_;
};

}  // namespace

std::string quote_name(std::string_view name) {
  const bool plain = !name.empty() && name_bytes(name) == name.size() && !is_keyword(name);
  return plain ? std::string(name) : quoted(name, '`');
}

std::string quote_value(std::string_view text) {
  bool plain = !text.empty() && !text.starts_with("--") && !equals_keyword(text, "null");
  for (const char c : text) plain = plain && is_plain(c);
  return plain ? std::string(text) : quoted(text, '\'');
}

std::string print(const statement& s) {
  printer p;
  p.statement_prefix(s.stream);
  std::visit(p, s.body);
  return p.take();
}

}  // namespace pubsubsql::parser
