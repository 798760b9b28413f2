//! RFC 6962 trees: a leaf and a node never hash alike, and each leaf has a short proof.

use schemars::JsonSchema;
use seal::sha256;
use serde::{Deserialize, Serialize};

type Hash = [u8; 32];

fn leaf(hash: &[u8]) -> Hash {
    sha256(&[&[0], hash].concat())
}

fn node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left.as_slice(), right].concat())
}

/// The largest power of two below `n` (n > 1).
fn split(n: usize) -> usize {
    1 << (usize::BITS - 1 - (n - 1).leading_zeros())
}

fn tree(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(b""),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(split(many.len()));
            node(&tree(left), &tree(right))
        }
    }
}

/// Root over hashes given as hex; what is no hex counts as its bytes, so that it cannot be mistaken for another.
pub fn root(hashes: &[&str]) -> String {
    hex::encode(tree(&leaves(hashes)))
}

fn leaves(hashes: &[&str]) -> Vec<Hash> {
    hashes.iter().map(|h| leaf(&hex::decode(h).unwrap_or_else(|_| h.as_bytes().to_vec()))).collect()
}

kernel::words! { pub enum Side { Left = "left", Right = "right" } }

/// A sibling on the way up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Where the sibling stands.
    pub side: Side,
    pub hash: String,
}

/// What proves that the leaf at `at` is under the root.
pub fn proof(hashes: &[&str], at: usize) -> Option<Vec<Step>> {
    let leaves = leaves(hashes);
    let (mut all, mut at) = (leaves.get(..)?, at);
    all.get(at)?;
    let mut steps = vec![];
    while all.len() > 1 {
        let (left, right) = all.split_at(split(all.len()));
        if at < left.len() {
            steps.push(Step { side: Side::Right, hash: hex::encode(tree(right)) });
            all = left;
        } else {
            steps.push(Step { side: Side::Left, hash: hex::encode(tree(left)) });
            (at, all) = (at - left.len(), right);
        }
    }
    steps.reverse();
    Some(steps)
}

/// Whether the steps lead from the change's hash to the root.
pub fn holds(hash: &str, steps: &[Step], root: &str) -> bool {
    let Ok(bytes) = hex::decode(hash) else { return false };
    let mut at = leaf(&bytes);
    for step in steps {
        let Some(sibling) = hex::decode(&step.hash).ok().and_then(|b| Hash::try_from(b).ok()) else {
            return false;
        };
        at = match step.side {
            Side::Left => node(&sibling, &at),
            Side::Right => node(&at, &sibling),
        };
    }
    hex::encode(at) == root
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of RFC 6962's reference implementation (certificate-transparency, merkle_tree_test).
    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let inputs = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (n, wanted) in roots.iter().enumerate() {
            assert_eq!(root(&inputs[..n]), *wanted, "{n} leaves");
        }
    }

    #[test]
    fn every_leaf_of_every_tree_has_a_proof_and_no_other_leaf_has_it() {
        for n in 1..20usize {
            let all: Vec<String> = (0..n).map(|i| hex::encode(sha256(&[i as u8]))).collect();
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            let top = root(&all);
            for at in 0..n {
                let steps = proof(&all, at).unwrap();
                assert!(holds(all[at], &steps, &top));
                assert!(!holds(all[(at + 1) % n], &steps, &top) || n == 1);
            }
            assert!(proof(&all, n).is_none());
        }
    }
}
