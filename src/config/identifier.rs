//! SQL identifiers: when they need quotes.

/// Key words that PostgreSQL 13 to 18 do not take as a plain column or table name everywhere
/// (reserved, or reserved except as function, type or column name).
const RESERVED: &str = "
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit
    boolean both case cast char character check coalesce collate collation column concurrently
    constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user dec decimal default deferrable desc distinct do else end except
    exists extract false fetch float for foreign freeze from full grant greatest group grouping
    having ilike in initially inner inout int integer intersect interval into is isnull join json
    json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar
    json_serialize json_table json_value lateral leading least left like limit localtime
    localtimestamp merge_action national natural nchar none normalize not notnull null nullif
    numeric offset on only or order out outer overlaps overlay placing position precision primary
    real references returning right row select session_user setof similar smallint some substring
    symmetric system_user table tablesample then time timestamp to trailing treat trim true union
    unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat
    xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
";

/// See [`super::quote_identifier`].
pub(super) fn quote(name: &str) -> String {
    let plain = name.bytes().enumerate().all(|(at, byte)| match byte {
        b'a'..=b'z' | b'_' => true,
        b'0'..=b'9' => at > 0,
        _ => false,
    });
    if plain && !name.is_empty() && !RESERVED.split_ascii_whitespace().any(|word| word == name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}
