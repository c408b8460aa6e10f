//! The order in which Docker's client lists names: numbers in them count as numbers.

use std::cmp::Ordering;

/// Compares two texts: runs of ASCII digits by value, then by leading zeros (fewer first), all else by bytes.
pub(in crate::cli) fn compare_naturally(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    while let ([one, left_rest @ ..], [other, right_rest @ ..]) = (left, right) {
        let order = match (one.is_ascii_digit(), other.is_ascii_digit()) {
            (true, true) => {
                let (number, other_number);
                (number, left) = split_number(left);
                (other_number, right) = split_number(right);
                compare_numbers(number, other_number)
            }
            (false, false) => {
                (left, right) = (left_rest, right_rest);
                one.cmp(other)
            }
            // The digit stands where the other's text goes on.
            (is_digit, is_other_digit) => is_other_digit.cmp(&is_digit),
        };
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

fn split_number(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()))
}

fn compare_numbers(left: &[u8], right: &[u8]) -> Ordering {
    let significant =
        |digits: &[u8]| digits.iter().skip_while(|digit| **digit == b'0').copied().collect::<Vec<_>>();
    let (one, other) = (significant(left), significant(right));
    one.len().cmp(&other.len()).then_with(|| one.cmp(&other)).then_with(|| left.len().cmp(&right.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let sorted = ["", "0", "00", "1", "a", "a1", "a2", "a2b", "a02", "a10", "ab1", "abc1", "b"];
        for (index, one) in sorted.iter().enumerate() {
            for (other_index, other) in sorted.iter().enumerate() {
                assert_eq!(compare_naturally(one, other), index.cmp(&other_index), "{one} and {other}");
            }
        }
    }
}
