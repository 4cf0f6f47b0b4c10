(* Bounds from an approximate inverse (C3, C4), and inverses modulo q (C7).  What an inverse is, an oracle proposes: any
   function will do, since only what is computed here from its answers decides. *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Vectors.
Import ListNotations.
Local Open Scope Z_scope.

Record oracle := Oracle {
  (* attempt -> rows of a square block -> Q and D with Q * block close to D I *)
  approximate_inverse : nat -> list (list Z) -> list (list Z) * Z;
  (* q -> rows of a square block -> L with L * block = I modulo q *)
  modular_inverse : Z -> list (list Z) -> list (list Z);
  (* bound -> a number above it, best a power of two: the base in which products are packed *)
  base_above : Z -> Z;
  (* B -> n -> r -> n digits, of either sign and smaller than B / 2, of r in base B *)
  digits : Z -> nat -> Z -> list Z }.

Section Oracle.
Variable propose : oracle.

(* ---------- q * rows, a few columns at a time, each time in one product of integers ---------- *)

Record slice := Slice { radix : Z; width : nat; largest : Z; packed : list Z }.

(* rows of length `width`, to be multiplied by vectors q with |q|_1 <= weight *)
Definition pack_slice (width : nat) (weight : Z) (rows : list (list Z)) : slice :=
  let largest := fold_left (fun m a => Z.max m (max_abs a)) rows 0 in
  let B := base_above propose (2 * weight * largest) in
  Slice B width largest (tmap (pack B) rows).

(* the vector q * rows; None if the proposed digits are not its entries *)
Definition slice_product (rows : slice) (q : list Z) : option (list Z) :=
  let B := radix rows in
  let r := dot q (packed rows) in
  let e := digits propose B (width rows) r in
  if Nat.eqb (size_of e) (width rows) && (2 * (sum_abs q * largest rows) <? B)
     && forallb (fun u => 2 * Z.abs u <? B) e && (pack B e =? r)
  then Some e else None.

(* slices of this many columns: integers of a few thousand digits are multiplied in the processor's cache *)
Definition slice_width : nat := (16 * 8)%nat.
Definition packed_rows : Type := list slice.
Fixpoint pack_within_rows (slices width : nat) (weight : Z) (rows : list (list Z)) : packed_rows :=
  match slices with
  | O => [pack_slice width weight rows]
  | S slices' =>
      if Nat.leb width slice_width then [pack_slice width weight rows]
      else
        let parts := tmap (split_at slice_width) rows in
        pack_slice slice_width weight (tmap fst parts) :: pack_within_rows slices' (width - slice_width) weight (tmap snd parts)
  end.
Definition pack_rows (width : nat) (weight : Z) (rows : list (list Z)) : packed_rows := pack_within_rows width width weight rows.
Fixpoint product (rows : packed_rows) (q : list Z) : option (list Z) :=
  match rows with
  | [] => Some []
  | s :: rows' =>
      match slice_product s q, product rows' q with
      | Some e, Some es => Some (tapp e es)
      | _, _ => None
      end
  end.

(* ---------- an approximate inverse of rows [F C]: square in the columns inside, with known unknowns beside ---------- *)

(* Where an unknown belongs: it is zero; it is solved for; it is known from a unit row. *)
Inductive place := Outside | Inside | Beside.
Definition is_inside (p : place) : bool := match p with Inside => true | _ => false end.
Definition is_beside (p : place) : bool := match p with Beside => true | _ => false end.
Definition arrange (places : list place) (a : list Z) : list Z :=
  tapp (pick (tmap is_inside places) a) (pick (tmap is_beside places) a).

(* For every x that is zero outside: gap |x_j| <= sum row_bounds_i |a_i.x| + sum side_bounds_s |x_s|,
   and gap |x_j| <= correction if |a_i.x| <= |rho_i| and |x_s| <= |rho_s|.  error + gap is D. *)
Record inverse_bound := InverseBound { gap : Z; row_bounds : list Z; side_bounds : list Z; correction : Z; error : Z }.

Definition maxima (m a : list Z) : list Z := tmap2 (fun u v => Z.max u (Z.abs v)) m a.

(* D I - e at row k: the k-th entry of e is compared with D, the others with 0 *)
Fixpoint off_identity (sum : Z) (k : nat) (D : Z) (e : list Z) : Z :=
  match e, k with
  | [], _ => sum
  | u :: e', O => sum_abs_from (sum + Z.abs (D - u)) e'
  | u :: e', S k' => off_identity (sum + Z.abs u) k' D e'
  end.

(* The rows of Q from row k on: the largest row sum A of |D I - Q F|, the columns' maxima of |Q| and of |Q C|, and the
   largest |Q_k| . rho + |Q_k C| . side_rho. *)
Fixpoint examine (size : nat) (D : Z) (rows : packed_rows) (rho side_rho : list Z) (Q : list (list Z)) (k : nat)
    (A : Z) (qs gs : list Z) (c : Z) : option (Z * list Z * list Z * Z) :=
  match Q with
  | [] => Some (A, qs, gs, c)
  | q :: Q' =>
      match product rows q with
      | Some e =>
          let (inside, beside) := split_at size e in
          if Nat.eqb (size_of q) size
          then examine size D rows rho side_rho Q' (S k) (Z.max A (off_identity 0 k D inside)) (maxima qs q) (maxima gs beside)
                 (Z.max c (dot (tmap Z.abs q) rho + dot (tmap Z.abs beside) side_rho))
          else None
      | None => None
      end
  end.

(* rho, side_rho: non-negative; for a margin, lists of zeros *)
Definition bound_inverse (attempt : nat) (places : list place) (rows : list (list Z)) (rho side_rho : list Z) : option inverse_bound :=
  let size := number (tmap is_inside places) in
  let sides := number (tmap is_beside places) in
  let arranged := tmap (arrange places) rows in
  let (Q, D) := approximate_inverse propose attempt (tmap (fun a => fst (split_at size a)) arranged) in
  let weight := fold_left (fun m q => Z.max m (sum_abs q)) Q 0 in
  if Nat.eqb (size_of rows) size && Nat.eqb (size_of Q) size && Nat.eqb (size_of rho) size && Nat.eqb (size_of side_rho) sides
     && forallb (fun a => Nat.eqb (size_of a) (size_of places)) rows
  then
    match examine size D (pack_rows (size + sides) weight arranged) rho side_rho Q 0 0 (zeros size) (zeros sides) 0 with
    | Some (A, qs, gs, c) =>
        if A <? D then Some (InverseBound (D - A) qs (tmap (Z.max (D - A)) gs) (Z.max c ((D - A) * max_abs side_rho)) A) else None
    | None => None
    end
  else None.

Definition attempts : list nat := [0; 1; 2; 3; 4; 5; 6]%nat.

(* Attempts in turn until a bound is accepted.  One that is within 2^-40 of the inverse is the last: more digits would change little. *)
Fixpoint some_bound (tried : list nat) (places : list place) (rows : list (list Z)) (rho side_rho : list Z)
    (accept : inverse_bound -> bool) : bool :=
  match tried with
  | [] => false
  | attempt :: tried' =>
      match bound_inverse attempt places rows rho side_rho with
      | Some b => accept b || (negb (Z.shiftl (error b) 40 <? gap b) && some_bound tried' places rows rho side_rho accept)
      | None => some_bound tried' places rows rho side_rho accept
      end
  end.

(* ---------- a block that is invertible modulo q ---------- *)

(* divided by q, if q divides all entries *)
Definition divided (a : list Z) (q : Z) : list Z := if forallb (fun u => u mod q =? 0) a then tmap (fun u => u / q) a else a.
(* 2^(2^23), ..., 2^2, 2^1: no number in a file has 2^24 bits *)
Definition powers_of_two : list Z :=
  map (fun k => Z.shiftl 1 (Z.shiftl 1 k)) [23; 22; 21; 20; 19; 18; 17; 16; 15; 14; 13; 12; 11; 10; 9; 8; 7; 6; 5; 4; 3; 2; 1; 0].
(* without the powers of two that all entries share *)
Definition odd_row (a : list Z) : list Z := if forallb Z.even a then fold_left divided powers_of_two a else a.

Fixpoint is_unit_row (q : Z) (k : nat) (e : list Z) : bool :=
  match e, k with
  | [], _ => true
  | u :: e', O => ((u - 1) mod q =? 0) && forallb (fun v => v mod q =? 0) e'
  | u :: e', S k' => (u mod q =? 0) && is_unit_row q k' e'
  end.
Fixpoint are_unit_rows (q : Z) (rows : packed_rows) (L : list (list Z)) (k : nat) : bool :=
  match L with
  | [] => true
  | l :: L' => match product rows l with Some e => is_unit_row q k e && are_unit_rows q rows L' (S k) | None => false end
  end.
(* L * block = I modulo q for some L; the block is square of this size *)
Definition invertible_modulo (q : Z) (size : nat) (block : list (list Z)) : bool :=
  let reduced := tmap (tmap (fun u => u mod q)) block in
  let L := modular_inverse propose q reduced in
  let weight := fold_left (fun m l => Z.max m (sum_abs l)) L 0 in
  (1 <? q) && Nat.eqb (size_of block) size && Nat.eqb (size_of L) size
  && forallb (fun a => Nat.eqb (size_of a) size) block
  && are_unit_rows q (pack_rows size weight reduced) L 0.

End Oracle.
