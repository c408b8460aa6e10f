//! Tables as maps: read whole, written where they differ.

use std::collections::BTreeMap;

use redb::{ReadableTable, StorageError, Table};

/// Rows by identifier.
pub(super) type Rows = BTreeMap<[u8; 32], Vec<u8>>;

/// Reads every row.
pub(super) fn read(table: &impl ReadableTable<[u8; 32], &'static [u8]>) -> Result<Rows, StorageError> {
    let mut rows = Rows::new();
    for row in table.iter()? {
        let (id, value) = row?;
        rows.insert(id.value(), value.value().to_vec());
    }
    Ok(rows)
}

/// Makes the table have these rows and no others; returns whether it had not.
pub(super) fn write(
    table: &mut Table<'_, [u8; 32], &'static [u8]>,
    wanted: &Rows,
) -> Result<bool, StorageError> {
    let present = read(table)?;
    for id in present.keys().filter(|id| !wanted.contains_key(*id)) {
        table.remove(id)?;
    }
    for (id, row) in wanted.iter().filter(|(id, row)| present.get(*id) != Some(row)) {
        table.insert(id, row.as_slice())?;
    }
    Ok(present != *wanted)
}

/// FNV-1a over all rows: redb does not compare its checksums when it reads.
pub(super) fn digest(tables: [&Rows; 2]) -> u64 {
    let rows = tables.into_iter().flatten();
    let bytes = rows.flat_map(|(id, row)| id.iter().chain(row));
    bytes.fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
