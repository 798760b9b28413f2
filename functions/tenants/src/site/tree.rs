//! The shape of an organisation, in one item: every change of it starts from the revision that was read, so the
//! rules below hold whatever happens at once.

use kernel::{Error, Result, SiteId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Commit, Key, Store, When};

/// Levels, the root's included.
const DEPTH: usize = 4;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    pub rev: u64,
    pub sites: BTreeMap<SiteId, Node>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SiteId>,
    pub open: bool,
}

fn key() -> Key {
    Key::item("sit", "tree", ".")
}

impl Tree {
    pub async fn read(store: &Store) -> Result<Self> {
        Ok(store.read(&key()).await?.unwrap_or_default())
    }

    /// Puts the tree, if it is still what was read.
    pub fn write(&self, commit: Commit) -> Commit {
        let next = Self { rev: self.rev + 1, ..self.clone() };
        let raced =
            |_| Error::conflict("changed-meanwhile", "the sites were changed at the same moment; try again");
        commit.put_if(&key(), &next, When::unmoved(self.rev), raced)
    }

    /// From the root down to the site itself.
    fn line(&self, id: SiteId) -> Vec<SiteId> {
        let mut line = vec![id];
        // Bounded: a cycle cannot be stored, and if one were, reading must end.
        while line.len() <= DEPTH + 1
            && let Some(parent) = self.sites.get(&line[line.len() - 1]).and_then(|n| n.parent)
        {
            line.push(parent);
        }
        line.reverse();
        line
    }

    /// `/NORTH/A`
    pub fn path(&self, id: SiteId) -> String {
        let codes = self.line(id).into_iter().filter_map(|id| self.sites.get(&id));
        codes.map(|n| format!("/{}", n.code)).collect()
    }

    /// Everything under a site, nearest first, itself left out.
    pub fn below(&self, id: SiteId) -> Vec<SiteId> {
        let mut all = vec![];
        let mut level = vec![id];
        while !level.is_empty() {
            level = self
                .sites
                .iter()
                .filter(|(_, n)| n.parent.is_some_and(|p| level.contains(&p)))
                .map(|(id, _)| *id)
                .collect();
            level.retain(|id| !all.contains(id));
            all.extend(&level);
        }
        all
    }

    pub fn open_below(&self, id: SiteId) -> usize {
        self.below(id).iter().filter(|id| self.sites.get(id).is_some_and(|n| n.open)).count()
    }

    pub fn others_open(&self, id: SiteId) -> usize {
        self.sites.iter().filter(|(other, n)| **other != id && n.open).count()
    }

    /// Puts a site under a parent: the parent is open, no cycle, not too deep.
    pub fn place(&mut self, id: SiteId, code: &str, parent: Option<SiteId>) -> Result<()> {
        if let Some(parent) = parent {
            let fault = |code, detail: &str| Err(Error::field(code, "/parent", detail));
            match self.sites.get(&parent) {
                None => return fault("parent-unknown", "there is no such site"),
                Some(node) if !node.open => return fault("parent-closed", "this site is closed"),
                Some(_) => {}
            }
            if parent == id || self.below(id).contains(&parent) {
                return fault("site-cycle", "a site cannot lie under itself");
            }
        }
        let open = self.sites.get(&id).is_none_or(|n| n.open);
        self.sites.insert(id, Node { code: code.into(), parent, open });
        let deepest = self.below(id).into_iter().chain([id]).map(|id| self.line(id).len()).max().unwrap_or(1);
        if deepest > DEPTH {
            return Err(Error::field(
                "too-deep",
                "/parent",
                format!("sites are at most {DEPTH} levels deep"),
            ));
        }
        Ok(())
    }

    pub fn set_open(&mut self, id: SiteId, open: bool) {
        if let Some(node) = self.sites.get_mut(&id) {
            node.open = open;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{Id, Ulid};

    fn site(n: u128) -> SiteId {
        SiteId::of(Ulid::from_parts(1, n))
    }
    fn tree(all: &[(u128, Option<u128>)]) -> Tree {
        let mut tree = Tree::default();
        for (id, parent) in all {
            tree.place(site(*id), &format!("S{id}"), parent.map(site)).unwrap();
        }
        tree
    }

    #[test]
    fn a_path_leads_from_the_root() {
        let tree = tree(&[(1, None), (2, Some(1)), (3, Some(2))]);
        assert_eq!(tree.path(site(3)), "/S1/S2/S3");
        assert_eq!(tree.below(site(1)), [site(2), site(3)]);
    }

    #[test]
    fn a_site_never_lies_under_itself() {
        let mut tree = tree(&[(1, None), (2, Some(1)), (3, Some(2))]);
        for parent in [1, 2, 3] {
            let refused = tree.clone().place(site(1), "S1", Some(site(parent))).unwrap_err();
            assert_eq!(refused.code(), "site-cycle", "{parent}");
        }
        tree.place(site(3), "S3", Some(site(1))).unwrap();
        assert_eq!(tree.path(site(3)), "/S1/S3");
    }

    #[test]
    fn the_fifth_level_is_refused_also_when_a_branch_moves() {
        let mut deep = tree(&[(1, None), (2, Some(1)), (3, Some(2)), (4, Some(3))]);
        assert_eq!(deep.place(site(5), "S5", Some(site(4))).unwrap_err().code(), "too-deep");
        let mut two = tree(&[(1, None), (2, Some(1)), (3, Some(2)), (6, None), (7, Some(6))]);
        assert_eq!(two.place(site(6), "S6", Some(site(3))).unwrap_err().code(), "too-deep");
    }

    #[test]
    fn nothing_opens_under_a_closed_site() {
        let mut tree = tree(&[(1, None)]);
        tree.set_open(site(1), false);
        assert_eq!(tree.place(site(2), "S2", Some(site(1))).unwrap_err().code(), "parent-closed");
        assert_eq!(tree.place(site(2), "S2", Some(site(9))).unwrap_err().code(), "parent-unknown");
    }
}
