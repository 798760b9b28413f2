//! What each mark on a page is, in reading order, for those who listen to a page or copy from it.
use pdf_writer::{
    Content, Finish, Name, Pdf, Ref, TextStr,
    types::{StructRole, TableHeaderScope},
};

use super::Numbers;
use crate::shape::{Element, Role};

/// Beyond these a tree would weigh more than the pages: such prints are registers, read as XLSX or CSV.
const MOST: usize = 20_000;

pub(super) struct Tags {
    pages: Vec<Ref>,
    /// Of each element; empty when there is no tree.
    numbers: Vec<Ref>,
    /// Of each element: page and number of each mark.
    marks: Vec<Vec<(usize, i32)>>,
    /// Of each page: the element of each mark.
    owners: Vec<Vec<usize>>,
}

impl Tags {
    pub fn new(elements: &[Element], numbers: &mut Numbers, pages: Vec<Ref>) -> Self {
        let count = if elements.len() > MOST { 0 } else { elements.len() };
        Self {
            owners: vec![vec![]; pages.len()],
            pages,
            numbers: (0..count).map(|_| numbers.next()).collect(),
            marks: vec![vec![]; count],
        }
    }

    pub fn exist(&self) -> bool {
        !self.numbers.is_empty()
    }

    pub fn begin(&mut self, content: &mut Content, element: Option<usize>, page: usize) {
        match element.filter(|element| *element < self.marks.len()) {
            None => {
                content.begin_marked_content(Name(b"Artifact"));
            }
            Some(element) => {
                let mark = self.owners[page].len() as i32;
                self.owners[page].push(element);
                self.marks[element].push((page, mark));
                content.begin_marked_content_with_properties(Name(b"Span")).properties().identify(mark);
            }
        }
    }

    /// The tree's root, if there is one.
    pub fn write(&self, pdf: &mut Pdf, numbers: &mut Numbers, elements: &[Element]) -> Option<Ref> {
        if self.numbers.is_empty() {
            return None;
        }
        let (root, document) = (numbers.next(), numbers.next());
        let mut children = vec![vec![]; elements.len()];
        let mut top = vec![];
        for (n, element) in elements.iter().enumerate() {
            element.parent.map_or(&mut top, |parent| &mut children[parent]).push(self.numbers[n]);
        }
        let mut tree = pdf.indirect(root).start::<pdf_writer::writers::StructTreeRoot<'_>>();
        tree.child(document);
        let mut parents = tree.parent_tree();
        let mut nums = parents.nums();
        let arrays: Vec<_> = self.owners.iter().map(|_| numbers.next()).collect();
        for (page, array) in arrays.iter().enumerate() {
            nums.insert(page as i32, *array);
        }
        nums.finish();
        parents.finish();
        tree.parent_tree_next_key(arrays.len() as i32);
        tree.finish();
        for (owners, array) in self.owners.iter().zip(arrays) {
            pdf.indirect(array).array().items(owners.iter().map(|owner| self.numbers[*owner]));
        }
        let mut whole = pdf.struct_element(document);
        whole.kind(StructRole::Document).parent(root);
        let mut kids = whole.children();
        for child in top {
            kids.struct_element(child);
        }
        kids.finish();
        whole.finish();
        for (n, element) in elements.iter().enumerate() {
            self.element(pdf, n, element, &children[n], document);
        }
        Some(root)
    }

    fn element(&self, pdf: &mut Pdf, n: usize, element: &Element, children: &[Ref], document: Ref) {
        let mut written = pdf.struct_element(self.numbers[n]);
        written.kind(match element.role {
            Role::Heading(1) => StructRole::H1,
            Role::Heading(2) => StructRole::H2,
            Role::Heading(3) => StructRole::H3,
            Role::Heading(4) => StructRole::H4,
            Role::Heading(5) => StructRole::H5,
            Role::Heading(_) => StructRole::H6,
            Role::Paragraph => StructRole::P,
            Role::List => StructRole::L,
            Role::Item => StructRole::LI,
            Role::Label => StructRole::Lbl,
            Role::Body => StructRole::LBody,
            Role::Table => StructRole::Table,
            Role::Row => StructRole::TR,
            Role::Head => StructRole::TH,
            Role::Data => StructRole::TD,
            Role::Figure => StructRole::Figure,
        });
        written.parent(element.parent.map_or(document, |parent| self.numbers[parent]));
        if let Some(alt) = &element.alt {
            written.alt(TextStr(alt));
        }
        if element.role == Role::Head {
            written.attributes().push().table().scope(TableHeaderScope::Both);
        }
        let mut kids = written.children();
        for (page, mark) in &self.marks[n] {
            kids.marked_content_ref().page(self.pages[*page]).marked_content_id(*mark);
        }
        for child in children {
            kids.struct_element(*child);
        }
    }
}
