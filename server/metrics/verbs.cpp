#include "server/metrics/verbs.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pubsubsql::server {

namespace {

template <typename Kind>
constexpr std::string_view name = {};

template <>
constexpr std::string_view name<parser::insert_statement> = "insert";
template <>
constexpr std::string_view name<parser::select_statement> = "select";
template <>
constexpr std::string_view name<parser::update_statement> = "update";
template <>
constexpr std::string_view name<parser::delete_statement> = "delete";
template <>
constexpr std::string_view name<parser::push_statement> = "push";
template <>
constexpr std::string_view name<parser::pop_statement> = "pop";
template <>
constexpr std::string_view name<parser::peek_statement> = "peek";
template <>
constexpr std::string_view name<parser::key_statement> = "key";
template <>
constexpr std::string_view name<parser::tag_statement> = "tag";
template <>
constexpr std::string_view name<parser::alter_ack_statement> = "set_ack";
template <>
constexpr std::string_view name<parser::alter_history_statement> = "set_history";
template <>
constexpr std::string_view name<parser::subscribe_statement> = "subscribe";
template <>
constexpr std::string_view name<parser::unsubscribe_statement> = "unsubscribe";
template <>
constexpr std::string_view name<parser::status_statement> = "status";
template <>
constexpr std::string_view name<parser::close_statement> = "close";
template <>
constexpr std::string_view name<parser::stop_statement> = "stop";
template <>
constexpr std::string_view name<parser::show_tables_statement> = "show_tables";
template <>
constexpr std::string_view name<parser::describe_statement> = "describe";
template <>
constexpr std::string_view name<parser::mysql_connect_statement> = "mysql_connect";
template <>
constexpr std::string_view name<parser::mysql_disconnect_statement> = "mysql_disconnect";
template <>
constexpr std::string_view name<parser::mysql_status_statement> = "mysql_status";
template <>
constexpr std::string_view name<parser::mysql_tables_statement> = "mysql_tables";
template <>
constexpr std::string_view name<parser::mysql_subscribe_statement> = "mysql_subscribe";
template <>
constexpr std::string_view name<parser::mysql_unsubscribe_statement> = "mysql_unsubscribe";
template <>
constexpr std::string_view name<parser::mysql_check_statement> = "mysql_check";
template <>
constexpr std::string_view name<parser::mysql_repair_statement> = "mysql_repair";
template <>
constexpr std::string_view name<parser::create_table_statement> = "create_table";
template <>
constexpr std::string_view name<parser::drop_table_statement> = "drop_table";
template <>
constexpr std::string_view name<parser::truncate_statement> = "truncate";
template <>
constexpr std::string_view name<parser::add_column_statement> = "add_column";
template <>
constexpr std::string_view name<parser::drop_column_statement> = "drop_column";
template <>
constexpr std::string_view name<parser::create_index_statement> = "create_index";
template <>
constexpr std::string_view name<parser::drop_index_statement> = "drop_index";
template <>
constexpr std::string_view name<parser::begin_statement> = "begin";
template <>
constexpr std::string_view name<parser::commit_statement> = "commit";
template <>
constexpr std::string_view name<parser::rollback_statement> = "rollback";
template <>
constexpr std::string_view name<parser::explain_statement> = "explain";
template <>
constexpr std::string_view name<parser::show_statement> = "show";
template <>
constexpr std::string_view name<parser::show_grants_statement> = "show_grants";
template <>
constexpr std::string_view name<parser::auth_statement> = "auth";
template <>
constexpr std::string_view name<parser::create_user_statement> = "create_user";
template <>
constexpr std::string_view name<parser::drop_user_statement> = "drop_user";
template <>
constexpr std::string_view name<parser::grant_statement> = "grant";
template <>
constexpr std::string_view name<parser::revoke_statement> = "revoke";
template <>
constexpr std::string_view name<parser::prepare_statement> = "prepare";
template <>
constexpr std::string_view name<parser::execute_statement> = "execute";
template <>
constexpr std::string_view name<parser::deallocate_statement> = "deallocate";

template <>
constexpr std::string_view name<parser::publish_statement> = "publish";
template <>
constexpr std::string_view name<parser::bind_statement> = "bind";
template <>
constexpr std::string_view name<parser::unbind_statement> = "unbind";

template <>
constexpr std::string_view name<parser::create_queue_statement> = "create_queue";
template <>
constexpr std::string_view name<parser::lease_statement> = "lease";
template <>
constexpr std::string_view name<parser::ack_statement> = "ack";
template <>
constexpr std::string_view name<parser::nack_statement> = "nack";
template <>
constexpr std::string_view name<parser::renew_statement> = "renew";

template <>
constexpr std::string_view name<parser::acknowledge_statement> = "ack_subscription";
template <>
constexpr std::string_view name<parser::drop_subscription_statement> = "drop_subscription";

template <std::size_t... Kind>
constexpr std::array<std::string_view, verb_count> make_names(std::index_sequence<Kind...>) {
  return {name<std::variant_alternative_t<Kind, parser::statement_body>>..., "unreadable"};
}

constexpr auto names = make_names(std::make_index_sequence<verb_count - 1>());
static_assert(std::ranges::none_of(names, &std::string_view::empty), "each kind of statement needs a name above");

}  // namespace

std::string_view name_of_verb(verb v) {
  return names[v];
}

bool takes_password(verb v) {
  // What `execute` is of is known once it is found; then it counts as that.
  constexpr std::array with_password = {name<parser::auth_statement>, name<parser::create_user_statement>,
                                        name<parser::mysql_connect_statement>, name<parser::execute_statement>};
  return std::ranges::find(with_password, names[v]) != with_password.end();
}

}  // namespace pubsubsql::server
