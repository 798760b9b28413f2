/// Why something cannot be printed. All of them are the document's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the picture cannot be used: {0}")]
    Image(&'static str),
    #[error("the document would have more than {0} pages")]
    TooLong(usize),
    #[error("a table has more than {0} columns")]
    TooWide(usize),
    #[error("the margins leave no room for text")]
    Margins,
    #[error("lists or tables are nested more than {0} deep")]
    TooDeep(usize),
    #[error("nothing can be put behind this PDF: {0}")]
    Append(&'static str),
    #[error("{0}")]
    Workbook(&'static str),
}

impl Error {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Image(_) => "image-unusable",
            Self::TooLong(_) => "document-too-long",
            Self::TooWide(_) => "table-too-wide",
            Self::Margins => "margins-too-wide",
            Self::TooDeep(_) => "nested-too-deep",
            Self::Append(_) => "pdf-not-appendable",
            Self::Workbook(_) => "workbook-invalid",
        }
    }
}

impl From<Error> for kernel::Error {
    fn from(e: Error) -> Self {
        Self::unprocessable(e.code(), e.to_string())
    }
}
