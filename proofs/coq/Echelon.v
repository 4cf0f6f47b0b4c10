(* C7: Gaussian elimination modulo q.  Row by row: the rows given so far have full column rank as soon as every column has its pivot.  And
   for all choices of one row from each of some groups at once.  A pivot is a unit modulo q, so that a q that is not a prime can only
   lose rows. *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Vectors ApproximateInverse.
Import ListNotations.
Local Open Scope Z_scope.

(* ---------- row by row ---------- *)

(* a row that is 1 in its own column, and 0 in those of the other pivots *)
Record pivot := Pivot { pivot_column : nat; pivot_row : list Z }.

Section Oracle.
Variable propose : oracle.

(* the entry of a in column j *)
Fixpoint entry_in (a : list Z) (j : nat) : Z := match a, j with [], _ => 0 | u :: _, O => u | _ :: a', S j' => entry_in a' j' end.
(* a without its part in the pivot's column *)
Definition eliminate (q : Z) (p : pivot) (a : list Z) : list Z :=
  let c := entry_in a (pivot_column p) in
  if c =? 0 then a else tmap2 (fun u v => (u - c * v) mod q) a (pivot_row p).

(* the first entry that is not 0, and its column *)
Fixpoint leading_entry (j : nat) (a : list Z) : option (nat * Z) :=
  match a with [] => None | u :: a' => if u =? 0 then leading_entry (S j) a' else Some (j, u) end.

(* u with u * c = 1 modulo q *)
Definition inverse (q c : Z) : option Z :=
  match modular_inverse propose q [[c]] with [[u]] => if (u * c) mod q =? 1 then Some u else None | _ => None end.

Definition add_row (q : Z) (n : nat) (pivots : list pivot) (a : list Z) : list pivot :=
  if Nat.eqb (size_of pivots) n || negb (Nat.eqb (size_of a) n) then pivots
  else
    let a := fold_left (fun a p => eliminate q p a) pivots (tmap (fun u => u mod q) a) in
    match leading_entry 0 a with
    | None => pivots
    | Some (j, c) =>
        match inverse q c with
        | Some u =>
            let p := Pivot j (tmap (fun v => (u * v) mod q) a) in
            p :: tmap (fun p' => Pivot (pivot_column p') (eliminate q p (pivot_row p'))) pivots
        | None => pivots
        end
    end.

(* every column has a pivot, and its row is a unit row modulo q *)
Definition has_full_rank (q : Z) (n : nat) (pivots : list pivot) : bool :=
  Nat.eqb (size_of pivots) n
  && forallb (fun j => existsb (fun p => Nat.eqb (pivot_column p) j && is_unit_row q j (pivot_row p)) pivots) (seq 0 n).
End Oracle.

(* ---------- all choices ---------- *)

Fixpoint first_nonzero (v : list Z) : option Z :=
  match v with [] => None | u :: v' => if u =? 0 then first_nonzero v' else Some u end.
(* what a says where v is 0: w a - c v for the first entry w of v that is not 0 and that of a in its column, without this column *)
Fixpoint modulo_row (q w : Z) (v a : list Z) : list Z :=
  match v, a with
  | t :: v', c :: a' => if t =? 0 then (w * c) mod q :: modulo_row q w v' a' else tmap2 (fun u t => (w * u - c * t) mod q) a' v'
  | _, _ => []
  end.

(* With one row of n entries from each group, however it is chosen, the rank is n if this product is a unit modulo q: of `product` and
   of all pivots.  It is 0 where a choice has a smaller rank.  `left`: the number of groups. *)
Fixpoint product_of_pivots (q : Z) (left n : nat) (groups : list (list (list Z))) (product : Z) : Z :=
  match n, left, groups with
  | O, _, _ => product
  | S n', S left', rows :: groups' =>
      if product =? 0 then 0
      else
        match n', groups' with
        | O, [] => fold_left (fun p u => (p * u) mod q) (concat rows) product
        | _, _ =>
            fold_left (fun p v =>
              match first_nonzero v with
              | Some w => product_of_pivots q left' n' (tmap (tmap (modulo_row q w v)) groups') ((p * w) mod q)
              | None => product_of_pivots q left' n groups' p
              end) rows product
        end
  | _, _, _ => 0
  end.
Definition every_choice_spans (propose : oracle) (q : Z) (n : nat) (groups : list (list (list Z))) : bool :=
  match inverse propose q (product_of_pivots q (size_of groups) n groups 1) with
  | Some _ => forallb (forallb (fun a => Nat.eqb (size_of a) n)) groups
  | None => false
  end.
