#pragma once

#include <optional>
#include <string>

#include "storage/durable/byte_coding.hpp"
#include "storage/table_description.hpp"

/// Descriptions of tables and columns as bytes, for the journal.
namespace pubsubsql::storage::durable {

void put_facts(std::string& out, const column_facts& f);
[[nodiscard]] column_facts take_facts(byte_reader& in);

void put_description(std::string& out, const table_description& d);
/// What the reader says of its state tells whether the description is sound.
[[nodiscard]] table_description take_description(byte_reader& in);

void put_history(std::string& out, const std::optional<parser::history_setting>& h);
[[nodiscard]] std::optional<parser::history_setting> take_history(byte_reader& in);

/// What makes a table a queue.
void put_queue(std::string& out, const queue_settings& q);
[[nodiscard]] queue_settings take_queue(byte_reader& in);

/// An acknowledgement, or none, in one byte.
[[nodiscard]] std::uint8_t to_byte(const std::optional<parser::ack_mode>& ack);
[[nodiscard]] std::optional<parser::ack_mode> to_ack(std::uint8_t byte);

}  // namespace pubsubsql::storage::durable
