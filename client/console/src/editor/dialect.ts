/** The dialect's words for highlighting and completion. */

import { SQLDialect } from "@codemirror/lang-sql";

const keywords =
  "ack add admin all alter and as asc auth auto_increment back begin between by check close collate column commit " +
  "committed conflate connect create deallocate default delete desc describe disconnect distinct div drop duplicate " +
  "escape execute exists explain for from front grant grants group having identified if ignore immediate in index " +
  "insert interval into is key like limit limits memory mod mysql not null offset on or order password peek pop " +
  "prepare primary pubsubid push repair replace returning revoke rollback select set share show skip slow start " +
  "status stop stream subscribe subscriptions table tables tag to transaction truncate unique unsubscribe update " +
  "user users using values where work xor true false";

export const functions =
  "abs avg ceil char_length coalesce concat concat_ws count curdate current_timestamp current_user curtime date " +
  "date_add date_sub datediff day dayofweek dayofyear floor from_unixtime greatest hour ifnull instr isnull " +
  "last_day least left length locate lower ltrim max microsecond min minute month now nullif power quarter right " +
  "round rtrim second sign sqrt substring sum time timestampdiff trim unix_timestamp upper utc_timestamp weekday year";

const types =
  "bigint binary bit blob boolean char date datetime decimal double enum float int json longtext mediumint " +
  "mediumtext smallint text time timestamp tinyint tinytext unsigned varbinary varchar";

export const dialect = SQLDialect.define({
  keywords,
  types,
  builtin: functions,
  backslashEscapes: false,
  hashComments: false,
  slashComments: false,
  spaceAfterDashes: false,
  doubleQuotedStrings: false,
  identifierQuotes: "`",
  operatorChars: "*+-%<>!=&|/?",
});
