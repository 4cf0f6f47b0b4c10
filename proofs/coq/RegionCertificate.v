(* A tree of cells (section 4.13 of FORMAT.md), as data. *)
From Coq Require Import List.

(* A cell: marks of its rows, the last one first, for each of its own cones; and the neuron of its layer that cuts it, marks of the rows
   that its parts keep, and the parts, in which the neuron is not positive and is.  Or nothing more: a region. *)
Inductive region_tree :=
| Cut (cones : list (list bool)) (neuron : nat) (kept : list bool) (off on : region_tree)
| Region (cones : list (list bool)).
