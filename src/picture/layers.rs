//! Where the boxes of a graph go: layers from top to bottom, few crossings, straight ways.
//!
//! The method is that of Sugiyama: break cycles, assign layers, order each layer by the middle of
//! its neighbours, then place each layer as near to its neighbours as the widths allow. Not the
//! layout-rs crate: its search for cycles tries every path, which takes for ever on graphs of calls.

/// The most boxes, bends and labels together that are placed.
const MAX_PLACES: usize = 20_000;
/// Rounds of ordering, and of placing.
const ROUNDS: usize = 24;
/// Between boxes side by side.
const GAP_X: f64 = 18.0;
/// Between layers.
const GAP_Y: f64 = 14.0;
/// Between an edge and its label, which is to the right of it.
const GAP_LABEL: f64 = 7.0;
/// Between an edge and what it passes.
const GAP_EDGE: f64 = 4.0;

/// What is to be placed.
pub struct Input {
    /// Width and height of each box.
    pub boxes: Vec<(f64, f64)>,
    /// From and to, and width and height of the label of each edge. None from a box to itself.
    pub edges: Vec<(usize, usize, (f64, f64))>,
}

/// Where things are: middles.
pub struct Output {
    /// Of each box.
    pub boxes: Vec<(f64, f64)>,
    /// The way of each edge, from its first box to its last, at the middles of layers.
    pub ways: Vec<Vec<Bend>>,
    /// Of the label of each edge.
    pub labels: Vec<(f64, f64)>,
    /// Width and height of all.
    pub size: (f64, f64),
}

/// Where an edge passes a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bend {
    pub x: f64,
    pub y: f64,
    /// How far it may go aside for each step down without touching what is beside it.
    pub slant: f64,
}

/// A box, or a bend or a label of an edge.
struct Place {
    width: f64,
    height: f64,
    layer: usize,
    x: f64,
    /// How far from its middle edges pass.
    lead: f64,
    is_box: bool,
}

struct Layers {
    places: Vec<Place>,
    /// The places of each layer, from left to right.
    rows: Vec<Vec<usize>>,
    /// Neighbours above and below each place.
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
}

/// Places everything; `None` if it is too much for a picture.
pub fn place(input: &Input) -> Option<Output> {
    let count = input.boxes.len();
    let is_reversed = reversed(count, &input.edges);
    let down: Vec<(usize, usize)> = (input.edges.iter().zip(&is_reversed))
        .map(|(&(from, to, _), &reversed)| if reversed { (to, from) } else { (from, to) })
        .collect();
    let ranks = ranks(count, &down);
    let mut layers = Layers::new(input, &ranks);
    let mut chains = Vec::with_capacity(down.len());
    for (&(from, to), &(_, _, label)) in down.iter().zip(&input.edges) {
        if layers.places.len() > MAX_PLACES {
            return None;
        }
        chains.push(layers.connect(from, to, label));
    }
    layers.order();
    layers.position();
    Some(layers.output(input, &chains, &is_reversed))
}

/// Which edges to turn around so that no way leads back.
fn reversed(count: usize, edges: &[(usize, usize, (f64, f64))]) -> Vec<bool> {
    let mut outgoing = vec![Vec::new(); count];
    for (index, &(from, _, _)) in edges.iter().enumerate() {
        outgoing[from].push(index);
    }
    let mut has_incoming = vec![false; count];
    edges.iter().for_each(|&(_, to, _)| has_incoming[to] = true);
    let mut is_reversed = vec![false; edges.len()];
    // 0: not seen; 1: on the way; 2: done.
    let mut state = vec![0u8; count];
    let (roots, others): (Vec<usize>, Vec<usize>) = (0..count).partition(|&at| !has_incoming[at]);
    for start in roots.into_iter().chain(others) {
        if state[start] != 0 {
            continue;
        }
        let mut stack = vec![(start, 0)];
        state[start] = 1;
        while let Some((node, next)) = stack.last_mut() {
            let Some(&edge) = outgoing[*node].get(*next) else {
                state[*node] = 2;
                stack.pop();
                continue;
            };
            *next += 1;
            let to = edges[edge].1;
            match state[to] {
                0 => {
                    state[to] = 1;
                    stack.push((to, 0));
                }
                1 => is_reversed[edge] = true,
                _ => {}
            }
        }
    }
    is_reversed
}

/// The layer of each box: below all that lead to it; and roots just above what they lead to.
fn ranks(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut waiting = vec![0; count];
    let mut outgoing = vec![Vec::new(); count];
    for &(from, to) in edges {
        waiting[to] += 1;
        outgoing[from].push(to);
    }
    let has_incoming: Vec<bool> = waiting.iter().map(|&count| count > 0).collect();
    let mut rank = vec![0; count];
    let mut ready: Vec<usize> = (0..count).filter(|&at| waiting[at] == 0).collect();
    while let Some(node) = ready.pop() {
        for &to in &outgoing[node] {
            rank[to] = rank[to].max(rank[node] + 1);
            waiting[to] -= 1;
            if waiting[to] == 0 {
                ready.push(to);
            }
        }
    }
    for node in (0..count).filter(|&at| !has_incoming[at]) {
        if let Some(nearest) = outgoing[node].iter().map(|&to| rank[to]).min() {
            rank[node] = nearest - 1;
        }
    }
    rank
}

impl Layers {
    /// Boxes are in the even layers, labels in the odd ones between.
    fn new(input: &Input, ranks: &[usize]) -> Layers {
        let rows = ranks.iter().max().map_or(0, |rank| 2 * rank + 1);
        let mut layers = Layers {
            places: Vec::new(),
            rows: vec![Vec::new(); rows],
            above: Vec::new(),
            below: Vec::new(),
        };
        for (&(width, height), &rank) in input.boxes.iter().zip(ranks) {
            layers.add(width, height, 2 * rank, true, 0.0);
        }
        layers
    }

    fn add(&mut self, width: f64, height: f64, layer: usize, is_box: bool, lead: f64) -> usize {
        let id = self.places.len();
        self.places.push(Place { width, height, layer, x: 0.0, lead, is_box });
        self.rows[layer].push(id);
        self.above.push(Vec::new());
        self.below.push(Vec::new());
        id
    }

    /// Leads an edge through all layers between its ends: bends, and its label in the middle.
    fn connect(&mut self, from: usize, to: usize, label: (f64, f64)) -> (Vec<usize>, usize) {
        let (first, last) = (self.places[from].layer, self.places[to].layer);
        // The label is in the odd layer nearest to the upper box, where other edges end less.
        let labelled = first + 1;
        let mut chain = vec![from];
        let mut label_place = from;
        for layer in first + 1..last {
            if layer == labelled {
                let width = label.0 + GAP_LABEL;
                label_place = self.add(width, label.1, layer, false, -width / 2.0);
                chain.push(label_place);
            } else {
                chain.push(self.add(4.0, 1.0, layer, false, 0.0));
            }
        }
        chain.push(to);
        for pair in chain.windows(2) {
            self.below[pair[0]].push(pair[1]);
            self.above[pair[1]].push(pair[0]);
        }
        (chain, label_place)
    }

    /// Orders each layer by the middle of the neighbours in the one before, down and up again, and
    /// keeps the order with the fewest crossings.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.rows.clone());
        for round in 0..ROUNDS {
            let is_down = round % 2 == 0;
            let rows = self.rows.len();
            let order: Vec<usize> = if is_down {
                (1..rows).collect()
            } else {
                (0..rows.saturating_sub(1)).rev().collect()
            };
            for row in order {
                let other = if is_down { row - 1 } else { row + 1 };
                let position = self.positions(other);
                let neighbours = if is_down { &self.above } else { &self.below };
                let current: Vec<usize> = self.rows[row].clone();
                let mut keyed: Vec<(f64, usize, usize)> = current
                    .iter()
                    .enumerate()
                    .map(|(at, &place)| {
                        let of = &neighbours[place];
                        let sum: f64 = of.iter().map(|other| position[*other]).sum();
                        let middle = match of.len() {
                            // Without neighbours it stays about where it is.
                            0 => at as f64 / current.len() as f64 * self.rows[other].len() as f64,
                            count => sum / count as f64,
                        };
                        (middle, at, place)
                    })
                    .collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                self.rows[row] = keyed.into_iter().map(|(_, _, place)| place).collect();
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.rows.clone());
            }
        }
        self.rows = best.1;
    }

    /// The position of every place of a row; 0 for all others.
    fn positions(&self, row: usize) -> Vec<f64> {
        let mut position = vec![0.0; self.places.len()];
        for (at, &place) in self.rows[row].iter().enumerate() {
            position[place] = at as f64;
        }
        position
    }

    fn crossings(&self) -> usize {
        let mut total = 0;
        for row in 1..self.rows.len() {
            let position = self.positions(row - 1);
            let mut ends: Vec<usize> = Vec::new();
            for &place in &self.rows[row] {
                let mut of: Vec<usize> =
                    self.above[place].iter().map(|&other| position[other] as usize).collect();
                of.sort_unstable();
                ends.extend(of);
            }
            total += inversions(&ends, self.rows[row - 1].len());
        }
        total
    }

    /// Places each layer as near to the middles of its neighbours as the widths allow.
    fn position(&mut self) {
        for row in 0..self.rows.len() {
            let mut x = 0.0;
            for &place in &self.rows[row] {
                let width = self.places[place].width;
                self.places[place].x = x + width / 2.0;
                x += width + GAP_X;
            }
        }
        for round in 0..2 * ROUNDS {
            let rows = self.rows.len();
            let order: Vec<usize> =
                if round % 2 == 0 { (0..rows).collect() } else { (0..rows).rev().collect() };
            for row in order {
                self.settle(row);
            }
        }
        let left = self.places.iter().map(|place| place.x - place.width / 2.0);
        let left = left.fold(f64::INFINITY, f64::min);
        self.places.iter_mut().for_each(|place| place.x -= left);
    }

    /// The least squares of the distances to where the places want to be, in their order: places
    /// that push each other move together (pool adjacent violators).
    fn settle(&mut self, row: usize) {
        // (mean of what they want from here on, weight, number of places) of each group.
        let mut groups: Vec<(f64, f64, usize)> = Vec::new();
        let mut offset = 0.0;
        let mut offsets = Vec::with_capacity(self.rows[row].len());
        let mut last_width = None;
        for &place in &self.rows[row] {
            let width = self.places[place].width;
            if let Some(last) = last_width {
                offset += (last + width) / 2.0 + GAP_X;
            }
            last_width = Some(width);
            offsets.push(offset);
            let (wanted, weight) = self.wanted(place);
            let mut group = (wanted - offset, weight, 1);
            while let Some(&(mean, other, count)) = groups.last() {
                if mean < group.0 {
                    break;
                }
                let sum = other + group.1;
                group = ((mean * other + group.0 * group.1) / sum, sum, count + group.2);
                groups.pop();
            }
            groups.push(group);
        }
        let mut at = 0;
        for (mean, _, count) in groups {
            for &place in &self.rows[row][at..at + count] {
                self.places[place].x = mean + offsets[at];
                at += 1;
            }
        }
    }

    /// Where a place wants to be, and how much: edges want to be straight.
    fn wanted(&self, place: usize) -> (f64, f64) {
        let (mut sum, mut total) = (0.0, 0.0);
        for &other in self.above[place].iter().chain(&self.below[place]) {
            let weight = match (self.places[place].is_box, self.places[other].is_box) {
                (true, true) => 1.0,
                (false, false) => 8.0,
                _ => 2.0,
            };
            sum += weight * self.edge_x(other);
            total += weight;
        }
        match total {
            0.0 => (self.places[place].x, 0.1),
            _ => (sum / total - self.places[place].lead, total),
        }
    }

    /// Where edges pass a place.
    fn edge_x(&self, place: usize) -> f64 {
        self.places[place].x + self.places[place].lead
    }

    /// How far from the middle of each place to the nearest thing beside it that has a size.
    fn room(&self) -> Vec<f64> {
        let mut room = vec![f64::INFINITY; self.places.len()];
        for row in &self.rows {
            let (mut end, mut start) = (f64::NEG_INFINITY, f64::INFINITY);
            let is_thing = |place: &Place| place.is_box || place.lead != 0.0;
            for &at in row {
                let place = &self.places[at];
                room[at] = room[at].min(self.edge_x(at) - end);
                if is_thing(place) {
                    end = place.x + place.width / 2.0;
                }
            }
            for &at in row.iter().rev() {
                let place = &self.places[at];
                // The label of an edge is beside it too.
                let own = if place.lead != 0.0 { GAP_LABEL } else { f64::INFINITY };
                room[at] = room[at].min(own).min(start - self.edge_x(at));
                if is_thing(place) {
                    start = place.x - place.width / 2.0;
                }
            }
        }
        room
    }

    fn output(
        &self,
        input: &Input,
        chains: &[(Vec<usize>, usize)],
        is_reversed: &[bool],
    ) -> Output {
        let (mut middles, mut heights) = (Vec::new(), Vec::new());
        let mut y = 0.0;
        for (index, row) in self.rows.iter().enumerate() {
            let height = row.iter().map(|&place| self.places[place].height).fold(0.0, f64::max);
            middles.push(y + height / 2.0);
            heights.push(height.max(1.0));
            y += height + if index + 1 == self.rows.len() { 0.0 } else { GAP_Y };
        }
        let at = |place: usize| (self.places[place].x, middles[self.places[place].layer]);
        let room = self.room();
        let bend = |place: usize| {
            let layer = self.places[place].layer;
            let slant = (room[place] - GAP_EDGE).max(0.0) / (heights[layer] / 2.0);
            Bend { x: self.edge_x(place), y: middles[layer], slant }
        };
        let way = |(chain, _): &(Vec<usize>, usize), reversed: bool| {
            let mut way: Vec<Bend> = chain.iter().map(|&place| bend(place)).collect();
            if reversed {
                way.reverse();
            }
            way
        };
        let right = self.places.iter().map(|place| place.x + place.width / 2.0);
        Output {
            boxes: (0..input.boxes.len()).map(at).collect(),
            ways: chains.iter().zip(is_reversed).map(|(chain, &is)| way(chain, is)).collect(),
            labels: chains
                .iter()
                .map(|(_, label)| (at(*label).0 + GAP_LABEL / 2.0, at(*label).1))
                .collect(),
            size: (right.fold(0.0, f64::max), y),
        }
    }
}

/// Pairs in the wrong order, by a tree of counts.
fn inversions(values: &[usize], len: usize) -> usize {
    let mut tree = vec![0usize; len + 2];
    let mut total = 0;
    for (seen, &value) in values.iter().enumerate() {
        let (mut at, mut not_above) = (value + 1, 0);
        while at > 0 {
            not_above += tree[at];
            at &= at - 1;
        }
        total += seen - not_above;
        at = value + 1;
        while at < tree.len() {
            tree[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_do_not_overlap_and_edges_lead_down_but_for_cycles() {
        let label = (20.0, 10.0);
        let edges = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 0), (0, 3), (4, 6), (5, 4)];
        let input = Input {
            boxes: vec![(80.0, 30.0); 7],
            edges: edges.iter().map(|&(from, to)| (from, to, label)).collect(),
        };
        let output = place(&input).unwrap();
        for a in 0..7 {
            for b in 0..a {
                let (a, b) = (output.boxes[a], output.boxes[b]);
                assert!((a.0 - b.0).abs() >= 80.0 || (a.1 - b.1).abs() >= 30.0, "{a:?} {b:?}");
            }
        }
        let goes_up = |way: &Vec<Bend>| way[0].y > way[way.len() - 1].y;
        assert_eq!(output.ways.iter().filter(|way| goes_up(way)).count(), 1);
        for (way, at) in output.ways.iter().zip(&output.labels) {
            let beside = way.iter().find(|bend| bend.y == at.1).unwrap();
            assert!(beside.x < at.0 - label.0 / 2.0, "{beside:?} is behind the label at {at:?}");
        }
        assert_eq!(inversions(&[2, 1, 0], 3), 3);
        assert_eq!(inversions(&[0, 1, 1, 2], 3), 0);
    }

    #[test]
    fn dense_graphs_are_placed_in_no_time() {
        let mut edges = Vec::new();
        for from in 0..80 {
            for to in from + 1..80.min(from + 12) {
                edges.push((from, to, (30.0, 10.0)));
            }
        }
        assert!(place(&Input { boxes: vec![(50.0, 20.0); 80], edges }).is_some());
    }
}
