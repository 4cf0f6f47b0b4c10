(* The checker of the injectivity of layers by one matrix Q (I14; section 4.15 of FORMAT.md): a tree of cells, on each of which the layers
   are an affine map x -> W x + c with Q W + (Q W)^T positive definite.  `check_definite_sound` in DefiniteSound.v: then the layers take no
   two points of the domain to one output.  How many regions there are, and which rows bound them, does not matter here. *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate RegionCertificate Vectors Systems ExpansionChecks RegionTree.
Import ListNotations.
Local Open Scope Z_scope.

(* ---------- symmetric matrices: their rows, each from the diagonal on ---------- *)

(* M + M^T *)
Fixpoint symmetric_part (size : nat) (m : list (list Z)) : symmetric :=
  match size, m with
  | S size', (p :: r) :: m' => (2 * p :: tmap2 Z.add r (tmap (hd 0) m')) :: symmetric_part size' (tmap (@tl Z) m')
  | _, _ => []
  end.
(* Whether all eigenvalues are positive: all pivots are.  Divided by the pivot before, entries stay minors of m. *)
Fixpoint is_definite (size : nat) (before : Z) (m : symmetric) : bool :=
  match size, m with
  | _, [] => true
  | S size', (p :: r) :: m' => (0 <? p) && is_definite size' p (without_factor before (add_square (-1) r (scaled p m')))
  | _, _ => false
  end.

(* ---------- the tree ---------- *)

Section Tree.
Variables (propose : list (list form) -> form -> nat * (Z * list Z)) (n : nat) (weights : list (list Z)).

(* Q W, up to a positive factor, for the affine forms that the last layer gives *)
Definition product_with (fs : list form) : list (list Z) := tmap (fun q => combination q (tmap (@tl Z) fs) (zeros n)) weights.
Definition has_definite_map (s : layer_in_cell) : bool := is_definite n 1 (symmetric_part n (product_with (given_forms s))).

Fixpoint definite_in (t : region_tree) (rows : list form) (inherited : list (list bool)) (s : layer_in_cell) : bool :=
  match t with
  | Region new => let s := settled_in propose n rows new inherited s in is_settled s && has_definite_map s
  | Cut new j kept off on =>
      let s := settled_in propose n rows new inherited s in
      let rows := pick kept rows in
      let passed := passed_on kept (tapp new inherited) in
      match neuron_of s j with
      | Some (place, f) =>
          negb (is_zero f) && definite_in off (opposite f :: rows) passed (with_sign place false s)
          && definite_in on (f :: rows) passed (with_sign place true s)
      | None => false
      end
  end.
Definition check_definite (ls : list layer) (K : domain) (t : region_tree) : bool :=
  Nat.eqb (size_of weights) n && definite_in t (first_rows n K) [] (first_layer n ls).
End Tree.
