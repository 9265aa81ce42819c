//! Writes tables as a stream of Arrow IPC: the schema, and then for each table its dictionaries and a batch of its rows.

use std::borrow::Cow;

use planus::{Builder, WriteAsOffset};
use polars_arrow_format::ipc;
use rspool_task::Result;

use crate::column::{Cells, Codes, Column, Texts};
use crate::table::Table;

/// Bodies and their buffers begin at multiples of this, as readers prefer it.
const ALIGN: usize = 64;

/// The bytes of the stream. They do not contain the bad rows.
///
/// # Errors
/// `ERR_RSPOOL_OUTPUT_TOO_LARGE` if a dictionary has too many texts.
pub fn write(table: &Table) -> Result<Vec<u8>> {
    let mut writer = Writer::default();
    let mut stream = writer.batch(table)?;
    stream.extend(writer.end());
    Ok(stream)
}

/// Writes a stream batch by batch.
#[derive(Debug, Default)]
pub struct Writer {
    begun: bool,
}

impl Writer {
    /// The bytes of the next rows. All tables have the same columns. A batch has its own dictionaries, which replace those
    /// of the batch before it.
    ///
    /// # Errors
    /// `ERR_RSPOOL_OUTPUT_TOO_LARGE` if a dictionary has too many texts.
    pub fn batch(&mut self, table: &Table) -> Result<Vec<u8>> {
        let mut stream = Vec::new();
        if !self.begun {
            schema(&mut stream, table);
            self.begun = true;
        }
        for ((_, column), id) in table.columns.iter().zip(0..) {
            if let Cells::Dictionary(codes) = &column.cells {
                dictionary(&mut stream, codes, id)?;
            }
        }
        let mut body = Body::default();
        for (_, column) in &table.columns {
            body.add(column);
        }
        let batch = body.batch(table.rows);
        message(
            &mut stream,
            ipc::MessageHeader::RecordBatch(Box::new(batch)),
            &body.parts,
        );
        Ok(stream)
    }

    /// The bytes behind the last batch.
    #[must_use]
    pub fn end(self) -> Vec<u8> {
        [MARK, [0; 4]].concat()
    }
}

fn schema(stream: &mut Vec<u8>, table: &Table) {
    let numbered = table.columns.iter().zip(0..);
    let fields = numbered.map(|((name, column), id)| field(name, column, id));
    let schema = ipc::Schema {
        endianness: if cfg!(target_endian = "little") {
            ipc::Endianness::Little
        } else {
            ipc::Endianness::Big
        },
        fields: Some(fields.collect()),
        ..ipc::Schema::default()
    };
    message(stream, ipc::MessageHeader::Schema(Box::new(schema)), &[]);
}

fn dictionary(stream: &mut Vec<u8>, codes: &Codes, id: i64) -> Result<()> {
    let mut offsets = vec![0];
    let mut bytes = Vec::new();
    for text in &codes.texts {
        bytes.extend_from_slice(text);
        Texts::check_size(bytes.len())?;
        offsets.push(bytes.len() as i32);
    }
    let mut body = Body::default();
    body.column(codes.texts.len(), None, [raw(&offsets), bytes.into()]);
    let batch = ipc::DictionaryBatch {
        id,
        data: Some(Box::new(body.batch(codes.texts.len()))),
        is_delta: false,
    };
    message(
        stream,
        ipc::MessageHeader::DictionaryBatch(Box::new(batch)),
        &body.parts,
    );
    Ok(())
}

const MARK: [u8; 4] = [0xff; 4];

/// Writes a header, and the body after it.
fn message(stream: &mut Vec<u8>, header: ipc::MessageHeader, body: &[Cow<'_, [u8]>]) {
    let sizes = body.iter().map(|part| part.len().next_multiple_of(ALIGN));
    let message = ipc::Message {
        version: ipc::MetadataVersion::V5,
        header: Some(header),
        body_length: sizes.sum::<usize>() as i64,
        custom_metadata: None,
    };
    let mut builder = Builder::new();
    let root = message.prepare(&mut builder);
    let header = builder.finish(root, None);
    // Padded, so that the body, which follows, is aligned.
    let size = (stream.len() + 8 + header.len()).next_multiple_of(ALIGN) - stream.len() - 8;
    stream.extend_from_slice(&MARK);
    stream.extend_from_slice(&(size as i32).to_le_bytes());
    stream.extend_from_slice(header);
    align(stream);
    for part in body {
        stream.extend_from_slice(part);
        align(stream);
    }
}

fn align(stream: &mut Vec<u8>) {
    stream.resize(stream.len().next_multiple_of(ALIGN), 0);
}

fn field(name: &str, column: &Column, id: i64) -> ipc::Field {
    let int = |bit_width| ipc::Int {
        bit_width,
        is_signed: true,
    };
    let kind = match &column.cells {
        Cells::Null => ipc::Type::Null(Box::default()),
        Cells::Bool(_) => ipc::Type::Bool(Box::default()),
        Cells::I32(_) => ipc::Type::Int(Box::new(int(32))),
        Cells::I64(_) => ipc::Type::Int(Box::new(int(64))),
        Cells::F64(_) => ipc::Type::FloatingPoint(Box::new(ipc::FloatingPoint {
            precision: ipc::Precision::Double,
        })),
        Cells::Timestamp(_) => ipc::Type::Timestamp(Box::new(ipc::Timestamp {
            unit: ipc::TimeUnit::Millisecond,
            timezone: Some("UTC".into()),
        })),
        Cells::Text(_) | Cells::Dictionary(_) => ipc::Type::Utf8(Box::default()),
    };
    let encoding = ipc::DictionaryEncoding {
        id,
        index_type: Some(Box::new(int(32))),
        ..ipc::DictionaryEncoding::default()
    };
    ipc::Field {
        name: Some(name.into()),
        nullable: true,
        type_: Some(kind),
        dictionary: matches!(column.cells, Cells::Dictionary(_)).then(|| Box::new(encoding)),
        children: Some(Vec::new()),
        custom_metadata: None,
    }
}

/// The body of a batch, and the places of its buffers.
#[derive(Default)]
struct Body<'a> {
    parts: Vec<Cow<'a, [u8]>>,
    nodes: Vec<ipc::FieldNode>,
    buffers: Vec<ipc::Buffer>,
    size: usize,
}

impl<'a> Body<'a> {
    fn add(&mut self, column: &'a Column) {
        let valid = column.valid();
        match &column.cells {
            Cells::Null => self.nodes.push(ipc::FieldNode {
                length: column.len as i64,
                null_count: column.len as i64,
            }),
            Cells::Bool(cells) => self.column(column.len, valid, [bits(cells).into()]),
            Cells::I32(cells) => self.column(column.len, valid, [raw(cells)]),
            Cells::I64(cells) | Cells::Timestamp(cells) => {
                self.column(column.len, valid, [raw(cells)])
            }
            Cells::F64(cells) => self.column(column.len, valid, [raw(cells)]),
            Cells::Text(texts) => {
                let parts = [raw(&texts.offsets), (&*texts.bytes).into()];
                self.column(column.len, valid, parts);
            }
            Cells::Dictionary(codes) => self.column(column.len, valid, [raw(&codes.codes)]),
        }
        if let Some(node) = self.nodes.last_mut() {
            node.null_count = column.nulls.len() as i64;
        }
    }

    fn column<const N: usize>(
        &mut self,
        len: usize,
        valid: Option<Vec<u8>>,
        parts: [Cow<'a, [u8]>; N],
    ) {
        self.nodes.push(ipc::FieldNode {
            length: len as i64,
            null_count: 0,
        });
        self.part(valid.unwrap_or_default().into());
        for part in parts {
            self.part(part);
        }
    }

    fn part(&mut self, part: Cow<'a, [u8]>) {
        self.buffers.push(ipc::Buffer {
            offset: self.size as i64,
            length: part.len() as i64,
        });
        self.size += part.len().next_multiple_of(ALIGN);
        self.parts.push(part);
    }

    fn batch(&self, rows: usize) -> ipc::RecordBatch {
        ipc::RecordBatch {
            length: rows as i64,
            nodes: Some(self.nodes.clone()),
            buffers: Some(self.buffers.clone()),
            ..ipc::RecordBatch::default()
        }
    }
}

/// One bit per byte, lowest first.
fn bits(cells: &[u8]) -> Vec<u8> {
    let byte = |cells: &[u8]| cells.iter().rev().fold(0, |bits, cell| bits << 1 | cell);
    cells.chunks(8).map(byte).collect()
}

/// The bytes of numbers in the byte order of this machine, which the schema names.
fn raw<T: bytemuck::NoUninit>(numbers: &[T]) -> Cow<'_, [u8]> {
    Cow::Borrowed(bytemuck::cast_slice(numbers))
}
