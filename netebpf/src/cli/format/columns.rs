//! Aligns what tabs separate, as Docker has Go's `tabwriter` do it: columns of a least width, of which 3 are blank.

use super::width::width;

const PADDING: usize = 3;

/// The least width of columns in lists of things.
pub(super) const OF_THINGS: usize = 10;

/// The least width of columns in lists of processes.
pub(in crate::cli) const OF_PROCESSES: usize = 20;

/// The lines of a text with spaces for tabs.
///
/// What follows the last tab of a line belongs to no column. A column goes over adjacent lines that have it, so that a
/// line without tabs ends all of them.
pub(in crate::cli) fn align(text: &str, minimum: usize) -> String {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut output = String::new();
    block(&lines, minimum, &mut Vec::new(), &mut output);
    // The last line was ended by the split.
    output.pop();
    output
}

/// Writes lines whose first columns are as wide as `widths` says, and finds the width of the next one.
fn block(lines: &[Vec<&str>], minimum: usize, widths: &mut Vec<usize>, output: &mut String) {
    let column = widths.len();
    let has_column = |line: &Vec<&str>| line.len() > column + 1;
    for lines in lines.chunk_by(|one, next| has_column(one) == has_column(next)) {
        if has_column(&lines[0]) {
            let wanted = lines.iter().map(|line| width(line[column]) + PADDING).max();
            widths.push(wanted.unwrap_or(0).max(minimum));
            block(lines, minimum, widths, output);
            widths.pop();
        } else {
            for line in lines {
                write_line(line, widths, output);
            }
        }
    }
}

fn write_line(cells: &[&str], widths: &[usize], output: &mut String) {
    for (index, cell) in cells.iter().enumerate() {
        output.push_str(cell);
        let wanted = widths.get(index).copied().unwrap_or(0);
        output.push_str(&" ".repeat(wanted.saturating_sub(width(cell))));
    }
    output.push('\n');
}

#[cfg(test)]
mod tests {
    use super::OF_THINGS;

    fn align(text: &str) -> String {
        super::align(text, OF_THINGS)
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        assert_eq!(align("ID\tNAME\n0123456789ab\tweb\n"), "ID             NAME\n0123456789ab   web\n");
        assert_eq!(align("A\tB\tC\n1\t\t\n"), "A         B         C\n1                   \n");
    }

    #[test]
    fn lines_without_a_column_end_it() {
        assert_eq!(align("long long text\tx\nno tab\na\tb"), "long long text   x\nno tab\na         b");
    }
}
