(* Two more questions about layers and networks, as functions to true or false: two inputs with the same output, and a case tree
   that proves a layer injective on all of R^n (I2, I8).  The certificate format has no line for them yet. *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate Vectors ApproximateInverse Systems Checker.
Import ListNotations.
Local Open Scope Z_scope.

(* p and q are different points of the domain that the network maps to the same output *)
Definition collision (net : network) (K : domain) (p q : point) : bool :=
  network_ok net && domain_ok (network_inputs net) K
  && point_ok (network_inputs net) p && point_ok (network_inputs net) q && contains K p && contains K q
  && negb (same_point p q) && same_point (value_through (layers net) p) (value_through (layers net) q).

(* A node splits on the sign of a row.  At a leaf the rows that no relu follows and the rows known not to be negative have full
   rank, or multipliers show that no point has these signs. *)
Inductive tree :=
| FullRank (r : rank_evidence)
| NoPoint (multipliers : list Z)
| Split (i : nat) (negative nonnegative : tree).

Section Oracle.
Variable propose : oracle.

Definition no_point (n : nat) (nonnegative negative : list row) (ws : list Z) : bool :=
  let (on, off) := split_at (size_of nonnegative) ws in
  let sum := combination off (tmap coefficients negative)
               (combination (tmap Z.opp on) (tmap coefficients nonnegative) (zeros n)) in
  let total := dot off (tmap constant negative) - dot on (tmap constant nonnegative) in
  Nat.eqb (size_of on) (size_of nonnegative) && Nat.eqb (size_of off) (size_of negative)
  && forallb (Z.leb 0) ws && is_zero sum && ((0 <? total) || ((0 <=? total) && existsb (Z.ltb 0) off)).

Fixpoint tree_ok (n : nat) (all always nonnegative negative : list row) (t : tree) : bool :=
  match t with
  | FullRank r =>
      Nat.eqb (rank_value r) n
      && match check_rank propose n (tmap General (tmap (layer_general true) (tapp always nonnegative))) r with
         | Some _ => true
         | None => false
         end
  | NoPoint ws => no_point n nonnegative negative ws
  | Split i t_negative t_nonnegative =>
      match nth_error all i with
      | Some r => tree_ok n all always nonnegative (r :: negative) t_negative
                  && tree_ok n all always (r :: nonnegative) negative t_nonnegative
      | None => false
      end
  end.
Definition layer_injective (l : layer) (t : tree) : bool :=
  layer_ok l && tree_ok (inputs l) (pick (rectified l) (rows l)) (pick (tmap negb (rectified l)) (rows l)) [] [] t.
End Oracle.
