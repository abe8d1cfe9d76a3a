#include "parser/print.hpp"

#include "parser/keywords.hpp"
#include "parser/print_expression.hpp"
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
  explicit printer(std::string& out) : out_(out) {}

  void operator()(const insert_statement& s) {
    out_ += s.on_duplicate == duplicate_rule::replace  ? "replace"
            : s.on_duplicate == duplicate_rule::ignore ? "insert ignore"
                                                       : "insert";
    into(s.rows);
    if (s.query != nullptr) {
      out_ += " select ";
      print_query(out_, *s.query);
    } else {
      values(s.rows);
    }
    if (s.on_duplicate == duplicate_rule::update) {
      out_ += " on duplicate key update ";
      assignments(s.updates);
    }
    returning(s.rows.returning);
  }
  void operator()(const push_statement& s) {
    out_ += "push";
    end(s.end);
    into(s.rows);
    values(s.rows);
    duration("delay", s.delay);
    returning(s.rows.returning);
  }
  void operator()(const publish_statement& s) {
    out_ += "publish";
    into(s.rows);
    values(s.rows);
  }
  void operator()(const bind_statement& s) {
    out_ += "bind " + quote_name(s.queue) + " to " + quote_name(s.table);
    where(s.where);
  }
  void operator()(const unbind_statement& s) {
    out_ += "unbind " + quote_name(s.queue);
    from(s.table);
    where(s.where);
  }
  void operator()(const select_statement& s) {
    out_ += "select ";
    query(s);
  }
  void operator()(const update_statement& s) {
    out_ += "update " + quote_name(s.table) + " set ";
    assignments(s.set);
    where(s.where);
    order_by(s.order_by);
    limit(s.limit);
    returning(s.returning);
  }
  void operator()(const delete_statement& s) {
    out_ += "delete";
    from(s.table);
    where(s.where);
    order_by(s.order_by);
    limit(s.limit);
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
  void operator()(const alter_history_statement& s) {
    out_ += "alter table " + quote_name(s.table) + " set history =";
    if (!s.history) {
      out_ += " default";
    } else if (!s.history->on) {
      out_ += " off";
    } else if (!s.history->bytes && !s.history->seconds) {
      out_ += " on";
    }
    if (s.history && s.history->bytes) out_ += ' ' + std::to_string(*s.history->bytes) + " bytes";
    if (s.history && s.history->seconds) out_ += ' ' + std::to_string(*s.history->seconds) + " seconds";
  }
  void operator()(const subscribe_statement& s) {
    out_ += s.skip ? "subscribe skip " : "subscribe ";
    columns(s.columns);
    from(s.table);
    where(s.where);
    group_by(s.group_by);
    order_by(s.order_by);
    limit(s.limit);
    if (s.on_slow) {
      out_ += *s.on_slow == slow_policy::conflate ? " on slow conflate"
              : *s.on_slow == slow_policy::drop   ? " on slow drop"
                                                  : " on slow disconnect";
    }
    if (s.with_seq) out_ += " with seq";
    if (s.since) out_ += " since " + std::to_string(*s.since);
    if (!s.name.empty()) out_ += " as " + quote_name(s.name);
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

  void operator()(const create_table_statement& s) {
    out_ += "create table ";
    columns_and_indexes(s);
  }
  void operator()(const create_queue_statement& s) {
    out_ += "create queue ";
    columns_and_indexes(s.definition);
    if (s.durable) out_ += " durable";
    duration("lease", s.lease);
    if (s.attempts_max) out_ += " max attempts " + std::to_string(*s.attempts_max);
    if (!s.dead_letter.empty()) out_ += " dead letter " + quote_name(s.dead_letter);
    duration("delay", s.delay);
    if (!s.priority.empty()) out_ += " priority " + quote_name(s.priority);
  }
  void operator()(const lease_statement& s) {
    out_ += "pop " + std::to_string(s.count);
    if (s.columns) {
      out_ += ' ';
      columns(*s.columns);
    }
    from(s.table);
    where(s.where);
    duration("wait", s.wait);
    duration("lease", s.lease);
  }
  void operator()(const ack_statement& s) { rows_of("ack ", s.table, s.ids); }
  void operator()(const acknowledge_statement& s) {
    out_ += "ack " + quote_name(s.name) + " on " + quote_name(s.table) + ' ' + std::to_string(s.position);
  }
  void operator()(const drop_subscription_statement& s) {
    out_ += "drop subscription " + quote_name(s.name);
    if (!s.table.empty()) out_ += " on " + quote_name(s.table);
  }
  void operator()(const nack_statement& s) {
    rows_of("nack ", s.table, s.ids);
    duration("delay", s.delay);
  }
  void operator()(const renew_statement& s) {
    rows_of("renew ", s.table, s.ids);
    duration("lease", s.lease);
  }
  void operator()(const drop_table_statement& s) {
    out_ += s.is_queue ? "drop queue " : "drop table ";
    if (s.if_exists) out_ += "if exists ";
    out_ += quote_name(s.table);
  }
  void operator()(const truncate_statement& s) { out_ += "truncate table " + quote_name(s.table); }
  void operator()(const add_column_statement& s) {
    out_ += "alter table " + quote_name(s.table) + " add column ";
    definition(s.column);
    if (!s.index) return;
    out_ += s.index->type == index_type::primary  ? " primary key"
            : s.index->type == index_type::unique ? " unique key"
                                                  : " index";
  }
  void operator()(const drop_column_statement& s) {
    out_ += "alter table " + quote_name(s.table) + " drop column " + quote_name(s.column);
  }
  void operator()(const create_index_statement& s) {
    if (s.index.type != index_type::primary && !s.index.name.empty()) {
      out_ += s.index.type == index_type::unique ? "create unique index " : "create index ";
      out_ += quote_name(s.index.name) + " on " + quote_name(s.table) + " (";
      names(s.index.columns);
      out_ += ')';
      return;
    }
    out_ += "alter table " + quote_name(s.table) + " add ";
    index(s.index);
  }
  void operator()(const drop_index_statement& s) {
    out_ += "drop index " + quote_name(s.index) + " on " + quote_name(s.table);
  }
  void operator()(const begin_statement&) { out_ += "begin"; }
  void operator()(const commit_statement&) { out_ += "commit"; }
  void operator()(const rollback_statement&) { out_ += "rollback"; }
  void operator()(const show_statement& s) {
    out_ += s.what == server_listing::subscriptions ? "show subscriptions"
            : s.what == server_listing::limits      ? "show limits"
            : s.what == server_listing::bindings    ? "show bindings"
            : s.what == server_listing::queues      ? "show queues"
                                                    : "show users";
  }
  void operator()(const show_grants_statement& s) {
    out_ += "show grants";
    if (!s.user.empty()) out_ += " for " + quoted(s.user, '\'');
  }
  void operator()(const auth_statement& s) { out_ += "auth " + quoted(s.user, '\'') + ' ' + quoted(s.password, '\''); }
  void operator()(const create_user_statement& s) {
    out_ += s.replaces ? "alter user " : "create user ";
    out_ +=
        quoted(s.user, '\'') + (s.is_hash ? " identified by password " : " identified by ") + quoted(s.secret, '\'');
  }
  void operator()(const drop_user_statement& s) { out_ += "drop user " + quoted(s.user, '\''); }
  void operator()(const grant_statement& s) {
    out_ += "grant ";
    rights_on(s.rights, s.table);
    out_ += " to " + quoted(s.user, '\'');
    where(s.where);
  }
  void operator()(const revoke_statement& s) {
    out_ += "revoke ";
    rights_on(s.rights, s.table);
    out_ += " from " + quoted(s.user, '\'');
  }
  void operator()(const prepare_statement& s) {
    out_ += "prepare " + quote_name(s.name) + " from " + quoted(s.sql, '\'');
  }
  void operator()(const execute_statement& s) {
    out_ += "execute " + quote_name(s.name);
    for (std::size_t i = 0; i < s.values.size(); ++i) {
      out_ += i == 0 ? " using " : ", ";
      bound(s.values[i]);
    }
  }
  void operator()(const deallocate_statement& s) { out_ += "deallocate prepare " + quote_name(s.name); }
  void operator()(const explain_statement& s) {
    out_ += "explain ";
    std::visit(*this, s.of);
  }

  void query(const select_statement& s) {
    if (s.distinct) out_ += "distinct ";
    columns(s.columns);
    if (s.table.empty()) return;
    from(s.table);
    where(s.where);
    group_by(s.group_by);
    if (s.having != nullptr) {
      out_ += " having ";
      print_expression(out_, *s.having);
    }
    order_by(s.order_by);
    limit(s.limit);
  }

 private:
  void columns_and_indexes(const create_table_statement& s) {
    if (s.if_not_exists) out_ += "if not exists ";
    out_ += quote_name(s.table) + " (";
    std::string_view before;
    for (const column_definition& c : s.columns) {
      out_ += before;
      definition(c);
      before = ", ";
    }
    for (const index_definition& i : s.indexes) {
      out_ += before;
      index(i);
      before = ", ";
    }
    out_ += ')';
  }

  void rows_of(std::string_view verb, std::string_view table, const row_id_list& ids) {
    out_ += verb;
    out_ += quote_name(table);
    for (std::size_t i = 0; i < ids.size(); ++i) out_ += (i > 0 ? ", " : " ") + std::to_string(ids[i]);
  }

  void duration(std::string_view word, const std::optional<duration_us>& d) {
    constexpr duration_us second = 1'000'000;
    constexpr duration_us millisecond = 1'000;
    if (!d) return;
    out_ += ' ';
    out_ += word;
    const bool is_whole = *d % second == 0;
    out_ += ' ' + std::to_string(*d / (is_whole ? second : millisecond)) + (is_whole ? " seconds" : " milliseconds");
  }

  // The end is always written: a column might be called `front`.
  void end(queue_end e) { out_ += e == queue_end::front ? " front" : " back"; }

  void from(std::string_view table) { out_ += " from " + quote_name(table); }

  void value(const literal& l) {
    if (l.computed != nullptr) {
      print_computed(out_, *l.computed);
    } else {
      out_ += l.is_null ? "null" : l.is_default ? std::string(l.text) : quote_value(l.text);
    }
  }

  void bound(const bound_value& v) {
    if (v.is == bound_value::kind::text) {
      out_ += quoted(v.text, '\'');
    } else {
      out_ += v.is == bound_value::kind::number ? v.text : "null";
    }
  }

  void names(const name_list& list) {
    for (std::size_t i = 0; i < list.size(); ++i) out_ += (i > 0 ? ", " : "") + quote_name(list[i]);
  }

  void columns(const projection& p) {
    if (p.all) {
      out_ += '*';
      return;
    }
    names(p.names);
    for (std::size_t i = 0; i < p.items.size(); ++i) {
      if (i > 0) out_ += ", ";
      item(p.items[i]);
    }
  }

  void item(const select_item& i) {
    // Alone in a list, the word would be a column.
    const bool enclosed = i.value->op == operation::null || i.value->op == operation::boolean;
    if (enclosed) out_ += '(';
    print_expression(out_, *i.value);
    if (enclosed) out_ += ')';
    if (!i.alias.empty()) out_ += " as " + quote_name(i.alias);
  }

  void rights_on(right_set rights, std::string_view table) {
    std::string_view before;
    for (std::size_t i = 0; i < right_names.size(); ++i) {
      if (!rights.has(static_cast<right>(i))) continue;
      out_ += before;
      out_ += right_names[i];
      before = ", ";
    }
    if (!rights.has(right::admin)) out_ += " on " + (table.empty() ? "*" : quote_name(table));
  }

  void where(const std::optional<condition>& c) {
    if (!c) return;
    out_ += " where ";
    if (c->predicate != nullptr) return print_expression(out_, *c->predicate);
    out_ += quote_name(c->column) + " = ";
    value(c->value);
  }

  void group_by(const expression_list& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      out_ += i == 0 ? " group by " : ", ";
      print_expression(out_, *list[i]);
    }
  }

  void order_by(const order_list& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      out_ += i == 0 ? " order by " : ", ";
      print_expression(out_, *list[i].value);
      if (list[i].descending) out_ += " desc";
    }
  }

  void limit(const std::optional<row_limit>& l) {
    if (!l) return;
    out_ += " limit " + std::to_string(l->count);
    if (l->offset > 0) out_ += " offset " + std::to_string(l->offset);
  }

  void returning(const std::optional<projection>& p) {
    if (!p) return;
    out_ += " returning ";
    columns(*p);
  }

  void assignments(const std::pmr::vector<assignment>& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out_ += ", ";
      out_ += quote_name(list[i].column) + " = ";
      value(list[i].value);
    }
  }

  void into(const row_source& s) {
    out_ += " into " + quote_name(s.table);
    if (s.columns.empty()) return;
    out_ += " (";
    names(s.columns);
    out_ += ')';
  }

  void values(const row_source& s) {
    const std::size_t width = s.columns.empty() ? s.width : s.columns.size();
    out_ += " values ";
    for (std::size_t i = 0; i < s.values.size(); ++i) {
      const std::size_t column = i % width;
      out_ += column > 0 ? ", " : i > 0 ? "), (" : "(";
      value(s.values[i]);
    }
    out_ += ')';
  }

  void definition(const column_definition& c) {
    out_ += quote_name(c.name);
    if (!c.type.empty()) {
      out_ += ' ';
      out_ += c.type;
    }
    if (c.not_null) out_ += " not null";
    if (c.auto_increment) out_ += " auto_increment";
    if (!c.default_value) return;
    out_ += " default ";
    // Bare, some words are calls there.
    if (is_function_without_parentheses(c.default_value->text)) {
      out_ += quoted(c.default_value->text, '\'');
    } else {
      value(*c.default_value);
    }
  }

  void index(const index_definition& i) {
    out_ += i.type == index_type::primary ? "primary key" : i.type == index_type::unique ? "unique key" : "key";
    if (!i.name.empty()) out_ += ' ' + quote_name(i.name);
    out_ += " (";
    names(i.columns);
    out_ += ')';
  }

  std::string& out_;
};

}  // namespace

void print_query(std::string& out, const select_statement& s) {
  printer(out).query(s);
}

std::string quote_name(std::string_view name) {
  const bool plain = !name.empty() && name_bytes(name) == name.size() && !is_keyword(name);
  return plain ? std::string(name) : quoted(name, '`');
}

std::string quote_value(std::string_view text) {
  bool plain = !text.empty() && !text.starts_with("--") && !equals_keyword(text, "null") &&
               !equals_keyword(text, "default") && !equals_keyword(text, "current_user");
  for (const char c : text) plain = plain && is_plain(c);
  return plain ? std::string(text) : quoted(text, '\'');
}

std::string print(const statement& s) {
  std::string out;
  if (s.stream) out += "stream ";
  std::visit(printer(out), s.body);
  return out;
}

}  // namespace pubsubsql::parser
