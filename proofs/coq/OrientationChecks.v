(* The checker that layers are injective by their orientation (I12; section 4.15 of FORMAT.md): the determinants of the maps of all
   regions have one sign, and the value at a point x0 inside one region is taken nowhere else.  `check_orientation_sound` in
   OrientationSound.v: whatever the oracles propose, true means that the layers are injective on R^n. *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate RegionCertificate Vectors Systems ExpansionChecks RegionTree.
Import ListNotations.
Local Open Scope Z_scope.

(* ---------- the sign of a determinant, by elimination ---------- *)

(* |p| times a row without its first entry, less what the pivot p and the rest r of its row take away *)
Definition eliminated (p : Z) (r a : list Z) : list Z :=
  add_scaled (- (Z.sgn p * hd 0 a)) r (tmap (Z.mul (Z.abs p)) (tl a)).
(* where the first row begins with 0, another one that does not is added to it *)
Definition pivot_row (a : list Z) (m : list (list Z)) : list Z :=
  if hd 0 a =? 0 then match find (fun b => negb (hd 0 b =? 0)) m with Some b => add_scaled 1 b a | None => a end else a.
(* Divided by the pivot before, entries stay minors of m. *)
Fixpoint determinant_sign (size : nat) (before : Z) (m : list (list Z)) : Z :=
  match size, m with
  | O, _ => 1
  | S size', a :: m' =>
      match pivot_row a m' with
      | [] => 0
      | p :: r => if p =? 0 then 0 else Z.sgn p * determinant_sign size' (Z.abs p) (without_factor before (tmap (eliminated p r) m'))
      end
  | S _, [] => 0
  end.

(* ---------- the maps of all regions ---------- *)

(* a region, where no row is negative, and its map: forms over a denominator *)
Record affine_piece := AffinePiece { piece_rows : list form; piece_unit : Z; piece_forms : list form }.

Section Oracles.
Variable propose : list (list form) -> form -> nat * (Z * list Z).
(* for a map and a value any point that the map sends to it *)
Variable solve : affine_piece -> point -> point.
Variable n : nat.

(* The pieces in the cell where no row of `cell` is negative, put onto others; of these rows, `rows` are those that settle signs. *)
Fixpoint pieces_onto (t : region_tree) (cell rows : list form) (inherited : list (list bool)) (s : layer_in_cell)
    (others : list affine_piece) : option (list affine_piece) :=
  match t with
  | Region new =>
      let s := settled_in propose n rows new inherited s in
      if is_settled s then Some (AffinePiece cell (unit_of s) (given_forms s) :: others) else None
  | Cut new j kept off on =>
      let s := settled_in propose n rows new inherited s in
      let rows := pick kept rows in
      let passed := passed_on kept (tapp new inherited) in
      match neuron_of s j with
      | Some (place, f) =>
          if is_zero f then None
          else match pieces_onto off (opposite f :: cell) (opposite f :: rows) passed (with_sign place false s) others with
               | Some others => pieces_onto on (f :: cell) (f :: rows) passed (with_sign place true s) others
               | None => None
               end
      | None => None
      end
  end.

(* a form at a point, times the denominator of the point *)
Definition form_at (x : point) (f : form) : Z := dot f (denominator x :: numerators x).
(* the value of a piece's map *)
Definition value_of (q : affine_piece) (x : point) : point :=
  Point (piece_unit q * denominator x) (tmap (form_at x) (piece_forms q)).
Definition is_inside (x : point) (q : affine_piece) : bool := forallb (fun r => 0 <? form_at x r) (piece_rows q).
Definition sign_of (q : affine_piece) : Z := determinant_sign n 1 (tmap (@tl Z) (piece_forms q)).
(* the one point that the map sends to y is x0, or it is not in the region *)
Definition takes_only_at (x0 y : point) (q : affine_piece) : bool :=
  let x := solve q y in
  point_ok n x && Nat.eqb (size_of (piece_forms q)) n && same_point (value_of q x) y
  && (same_point x x0 || existsb (fun r => form_at x r <? 0) (piece_rows q)).

Definition check_orientation (ls : list layer) (t : region_tree) (x0 : point) : bool :=
  point_ok n x0
  && match pieces_onto t [] [] [] (first_layer n ls) [] with
     | Some pieces =>
         let signs := tmap sign_of pieces in
         (forallb (Z.eqb 1) signs || forallb (Z.eqb (-1)) signs)
         && match find (is_inside x0) pieces with
            | Some q => forallb (takes_only_at x0 (value_of q x0)) pieces
            | None => false
            end
     | None => false
     end.
End Oracles.
